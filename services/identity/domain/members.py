"""What may be done with a member: register, import, change roles and language, deactivate, erase."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from contracts.identity import (
    ClearanceChanged,
    Kind,
    LanguageChanged,
    MemberDeactivated,
    MemberErased,
    MemberPlaced,
    MemberReactivated,
    MemberRegistered,
    Place,
    ProfileChanged,
    Role,
    RolesChanged,
)
from services.identity.domain import profiles
from services.identity.domain.permissions import Acting, Permission, permit, permit_touching
from services.identity.domain.profiles import LONGEST_NAME, ChangeProfile, PlaceMember, RenameMember
from services.identity.domain.tags import country_of, time_zone_of
from shared.kernel import text
from shared.kernel.audience import Classification
from shared.kernel.decider import Decider
from shared.kernel.errors import Conflict, Forbidden, NotFound, Refused
from shared.kernel.events import Event
from shared.kernel.personal import Personal

LONGEST_EMAIL = 254
LONGEST_SOURCE_NAME = 200

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


@dataclass(frozen=True, slots=True)
class RegisterMember:
    """`clearance` None means the one that `default_clearance` gives. `author_digest` stands for what a source
    calls them, where they come with an import."""

    acting: Acting
    member_id: str
    kind: Kind
    name: str
    language: str
    time_zone: str
    country: str | None = None
    email: str | None = None
    roles: frozenset[Role] = frozenset()
    clearance: Classification | None = None
    signs_in: bool = True
    author_digest: str | None = None
    synthetic: bool = False


@dataclass(frozen=True, slots=True)
class ChangeRoles:
    acting: Acting
    member_id: str
    roles: frozenset[Role]
    clearance: Classification | None = None


@dataclass(frozen=True, slots=True)
class ChangeLanguage:
    """Of the acting member's own preference."""

    acting: Acting
    member_id: str
    language: str


@dataclass(frozen=True, slots=True)
class DeactivateMember:
    acting: Acting
    member_id: str


@dataclass(frozen=True, slots=True)
class ReactivateMember:
    acting: Acting
    member_id: str


@dataclass(frozen=True, slots=True)
class EraseMember:
    acting: Acting
    member_id: str


Command = (
    RegisterMember
    | ChangeRoles
    | ChangeLanguage
    | PlaceMember
    | RenameMember
    | ChangeProfile
    | DeactivateMember
    | ReactivateMember
    | EraseMember
)


class Standing(StrEnum):
    UNKNOWN = "unknown"
    ACTIVE = "active"
    DEACTIVATED = "deactivated"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Member:
    """What the rules need to remember of a member: nothing personal."""

    standing: Standing = Standing.UNKNOWN
    kind: Kind = Kind.STAFF
    roles: frozenset[Role] = frozenset()
    clearance: Classification = Classification.OPEN
    language: str = ""
    time_zone: str = ""
    signs_in: bool = False
    author_digest: str | None = None
    place: Place = field(default_factory=Place)

    @property
    def may_sign_in(self) -> bool:
        return self.standing is Standing.ACTIVE and self.signs_in


def default_clearance(kind: Kind, roles: frozenset[Role]) -> Classification:
    if kind is Kind.GUEST:
        return Classification.OPEN
    if roles & {Role.LEADER, Role.BOARD, Role.ADMIN}:
        return Classification.CONFIDENTIAL
    return Classification.INTERNAL


def decide(command: Command, member: Member) -> Sequence[Event]:
    """The facts that follow from a command, or the reason it is refused."""
    match command:
        case RegisterMember():
            return _register(command, member)
        case ChangeRoles():
            return _change_roles(command, member)
        case ChangeLanguage():
            return _change_language(command, member)
        case PlaceMember() | RenameMember() | ChangeProfile():
            return _of_profile(command, member)
        case ReactivateMember():
            permit(command.acting, Permission.DEACTIVATE_MEMBERS)
            _another(command.acting, command.member_id, member)
            if member.standing is Standing.ERASED:
                raise no_such_member()
            if member.standing is Standing.ACTIVE:
                return []
            return [MemberReactivated(member_id=command.member_id)]
        case DeactivateMember():
            permit(command.acting, Permission.DEACTIVATE_MEMBERS)
            _another(command.acting, command.member_id, member)
            if member.standing is not Standing.ACTIVE:
                return []
            return [MemberDeactivated(member_id=command.member_id)]
        case EraseMember():
            permit(command.acting, Permission.ERASE_MEMBERS)
            _another(command.acting, command.member_id, member)
            if member.standing is Standing.ERASED:
                return []
            return [MemberErased(member_id=command.member_id)]


def _of_profile(command: PlaceMember | RenameMember | ChangeProfile, member: Member) -> Sequence[Event]:
    """Whoever may not do it is told that before anything of the member."""
    if not isinstance(command, ChangeProfile):
        permit(command.acting, Permission.PLACE_MEMBERS)
    _active(member)
    match command:
        case PlaceMember():
            permit_touching(command.acting, member.roles)
            return profiles.place(command, member.place)
        case RenameMember():
            permit_touching(command.acting, member.roles)
            return profiles.rename(command)
        case ChangeProfile():
            # Their own: asked is only whether whoever brings it may act upon such a member.
            if (bringing := command.acting.brought_by) is not None:
                permit_touching(Acting(command.acting.member_id, bringing), member.roles)
            return profiles.change_profile(command)


def permit_registering(command: RegisterMember) -> None:
    """Roles, and a clearance above the usual one, are handed out by those who may change them. Raises
    Forbidden."""
    imported = command.author_digest is not None
    permit(command.acting, Permission.IMPORT_MEMBERS if imported else Permission.REGISTER_MEMBERS)
    permit_touching(command.acting, command.roles)
    usual = default_clearance(command.kind, frozenset())
    if command.roles or (command.clearance or usual).rank > usual.rank:
        permit(command.acting, Permission.CHANGE_ROLES)


def _register(command: RegisterMember, member: Member) -> Sequence[Event]:
    permit_registering(command)
    imported = command.author_digest is not None
    if member.standing is not Standing.UNKNOWN:
        # Empty: imported when the name itself was told, which nobody keeps.
        if imported and member.author_digest in ("", command.author_digest):
            return []
        raise Conflict("member-exists", "There is such a member already.")
    if command.kind is Kind.GUEST and command.roles:
        raise Refused("guest-has-no-roles", "Guests hold no roles. Register staff instead.", field="roles")
    return [
        MemberRegistered(
            member_id=command.member_id,
            kind=command.kind,
            name=Personal(text.name(command.name, "name", LONGEST_NAME)),
            email=Personal(_email(command.email)) if command.email else None,
            country=country_of(command.country),
            language=text.language(command.language),
            time_zone=time_zone_of(command.time_zone),
            roles=tuple(sorted(command.roles)),
            clearance=command.clearance or default_clearance(command.kind, command.roles),
            signs_in=command.signs_in and not imported,
            author_digest=command.author_digest,
            synthetic=command.synthetic,
        )
    ]


def _change_roles(command: ChangeRoles, member: Member) -> Sequence[Event]:
    permit(command.acting, Permission.CHANGE_ROLES)
    _active(member)
    if command.acting.member_id == command.member_id and Role.ADMIN not in command.roles:
        raise Forbidden("not-yourself", "You cannot take this from yourself. Ask another administrator.")
    if member.kind is Kind.GUEST and command.roles:
        raise Refused("guest-has-no-roles", "Guests hold no roles. Register staff instead.", field="roles")
    changed: list[Event] = []
    if command.roles != member.roles:
        old, new = tuple(sorted(member.roles)), tuple(sorted(command.roles))
        changed.append(RolesChanged(member_id=command.member_id, old=old, new=new))
    if command.clearance is not None and command.clearance is not member.clearance:
        old_level = member.clearance
        changed.append(ClearanceChanged(member_id=command.member_id, old=old_level, new=command.clearance))
    return changed


def _change_language(command: ChangeLanguage, member: Member) -> Sequence[Event]:
    if command.acting.member_id != command.member_id:
        raise Forbidden("not-permitted", "You may not do this. Ask an administrator.")
    _active(member)
    language = text.language(command.language, stored=(member.language,))
    if language == member.language:
        return []
    return [LanguageChanged(member_id=command.member_id, old=member.language, new=language)]


def _active(member: Member) -> None:
    if member.standing is not Standing.ACTIVE:
        raise no_such_member()


def _another(acting: Acting, member_id: str, member: Member) -> None:
    """Raises where there is no such member, it is the acting one, or one that only an admin may touch."""
    if member.standing is Standing.UNKNOWN:
        raise no_such_member()
    if acting.member_id == member_id:
        raise Forbidden("not-yourself", "You cannot do this to yourself. Ask another administrator.")
    permit_touching(acting, member.roles)


def no_such_member() -> NotFound:
    return NotFound("no-such-member", "There is no such member.")


def _email(text: str) -> str:
    email = text.strip()
    if len(email) > LONGEST_EMAIL or not _EMAIL.fullmatch(email) or not email.isprintable():
        raise Refused("email-unknown", "This is no e-mail address: name@company.example", field="email")
    return email


def source_name(name: str) -> str:
    """What a source calls somebody. Raises Refused."""
    if not (0 < len(name) <= LONGEST_SOURCE_NAME and name.isprintable()):
        raise Refused(
            "source-name", "What the source calls a member has 1 to 200 characters.", field="imported_as"
        )
    return name


def evolve(member: Member, event: Event) -> Member:
    """What is known of a member once `event` has happened."""
    match event:
        case MemberRegistered():
            return Member(
                standing=Standing.ACTIVE,
                kind=event.kind,
                roles=frozenset(event.roles),
                clearance=event.clearance,
                language=event.language,
                time_zone=event.time_zone,
                signs_in=event.signs_in,
                author_digest=event.author_digest,
                place=Place(country=event.country),
            )
        case MemberPlaced():
            return replace(member, place=event.place)
        case ProfileChanged():
            return replace(member, time_zone=event.time_zone)
        case MemberReactivated():
            return replace(member, standing=Standing.ACTIVE)
        case RolesChanged():
            return replace(member, roles=frozenset(event.new))
        case ClearanceChanged():
            return replace(member, clearance=event.new)
        case LanguageChanged():
            return replace(member, language=event.new)
        case MemberDeactivated():
            return replace(member, standing=Standing.DEACTIVATED)
        case MemberErased():
            return replace(member, standing=Standing.ERASED)
    return member


def stream(member_id: str) -> str:
    return f"member-{member_id}"


members: Decider[Command, Member] = Decider(lambda c: stream(c.member_id), Member(), decide, evolve)
