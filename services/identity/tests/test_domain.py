"""The rules for members, accounts, sessions and access tokens."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contracts.identity import (
    ClearanceChanged,
    Kind,
    LanguageChanged,
    MemberDeactivated,
    MemberErased,
    MemberRegistered,
    Role,
    RolesChanged,
)
from services.identity.domain import accounts, secrets
from services.identity.domain.access_tokens import (
    LONGEST_LIFE,
    AccessTokenIssued,
    AccessTokenRevoked,
    AccessTokenSecretSet,
    AccessTokenUsed,
    IssueAccessToken,
    RevokeAccessToken,
    Scope,
    UseAccessToken,
    access_tokens,
    roles_within,
)
from services.identity.domain.accounts import (
    AccountOpened,
    OpenAccount,
    PasswordRehashed,
    PasswordSet,
    RehashPassword,
    ReleaseUserName,
    TakeUserName,
    UserNameReleased,
    UserNameTaken,
)
from services.identity.domain.members import (
    ChangeLanguage,
    ChangeRoles,
    DeactivateMember,
    EraseMember,
    Member,
    RegisterMember,
    Standing,
    members,
)
from services.identity.domain.permissions import HOLDERS, Acting, Permission, may
from services.identity.domain.profiles import ChangeProfile, PlaceMember
from services.identity.domain.sessions import (
    COARSE,
    OpenSession,
    RevokeSession,
    SessionOpened,
    SessionRevoked,
    SessionSecretSet,
    SessionUsed,
    UseSession,
    sessions,
)
from services.identity.domain.units import FoundUnit, units
from shared.kernel.audience import Classification, TokenChange
from shared.kernel.errors import Conflict, Forbidden, NotFound, Refused, Unauthenticated
from shared.kernel.events import Event
from shared.kernel.personal import Personal
from shared.kernel.testing import NOON, Specification

ADMIN = Acting("ada", frozenset({"admin"}))
OPERATOR = Acting("ola", frozenset({"operator"}))
NOBODY = Acting("nils")

spec = Specification(members)
register = RegisterMember(ADMIN, "ann", Kind.STAFF, "Ann Åkesson", "sv", "Europe/Stockholm", "SE")
registered = MemberRegistered(
    member_id="ann",
    kind=Kind.STAFF,
    name=Personal("Ann Åkesson"),
    country="SE",
    language="sv",
    time_zone="Europe/Stockholm",
    clearance=Classification.INTERNAL,
    signs_in=True,
)
imported = RegisterMember(OPERATOR, "ann", Kind.STAFF, "author-001", "en", "Etc/UTC", author_digest="d1")
was_imported = MemberRegistered(
    member_id="ann",
    kind=Kind.STAFF,
    name=Personal("author-001"),
    language="en",
    time_zone="Etc/UTC",
    clearance=Classification.INTERNAL,
    signs_in=False,
    author_digest="d1",
)


def test_an_operator_registers_a_member() -> None:
    spec.given().when(replace(register, acting=OPERATOR)).then(registered)


def test_a_member_is_registered_once() -> None:
    spec.given(registered).when(register).refused(Conflict, "member-exists")


def test_an_imported_member_never_signs_in_and_is_imported_again_without_change() -> None:
    spec.given().when(imported).then(was_imported)
    spec.given(was_imported).when(imported).then()
    spec.given(was_imported, MemberErased(member_id="ann")).when(imported).then()
    when_it_was_told_by_name = was_imported.model_copy(update={"author_digest": ""})
    spec.given(when_it_was_told_by_name).when(imported).then()


def test_an_import_does_not_take_the_id_of_somebody_else() -> None:
    spec.given(registered).when(imported).refused(Conflict, "member-exists")
    other = replace(imported, author_digest="d2")
    spec.given(was_imported).when(other).refused(Conflict, "member-exists")


@pytest.mark.parametrize(
    "more",
    [
        {"roles": frozenset({Role.EDITOR})},
        {"roles": frozenset({Role.LEADER})},
        {"clearance": Classification.CONFIDENTIAL},
        {"kind": Kind.GUEST, "clearance": Classification.INTERNAL},
    ],
)
def test_only_who_changes_roles_registers_somebody_with_more_than_everybody_has(more: Any) -> None:
    asked = replace(register, **more)
    spec.given().when(replace(asked, acting=OPERATOR)).refused(Forbidden, "not-permitted")
    brought_in = Acting(ADMIN.member_id, ADMIN.roles, brought_by=OPERATOR.roles)
    spec.given().when(replace(asked, acting=brought_in)).refused(Forbidden, "not-permitted")
    if asked.kind is Kind.STAFF:
        assert members.decide(replace(asked, acting=ADMIN), Member())


def test_what_is_brought_in_needs_both_who_did_it_and_who_brings_it() -> None:
    plain = Acting("bo", frozenset(), brought_by=ADMIN.roles)
    spec.given().when(replace(register, acting=plain)).refused(Forbidden, "not-permitted")
    both = Acting(ADMIN.member_id, ADMIN.roles, brought_by=OPERATOR.roles)
    spec.given().when(replace(register, acting=both)).then(registered)
    leads = registered.model_copy(update={"roles": (Role.ADMIN,)})
    place = PlaceMember(both, "ann", title="Baker")
    spec.given(leads).when(place).refused(Forbidden, "for-admins-only")
    of_ann = Acting("ann", frozenset({"admin"}), brought_by=OPERATOR.roles)
    said = ChangeProfile(of_ann, "ann", "UTC", about="I am somebody else")
    spec.given(leads).when(said).refused(Forbidden, "for-admins-only")
    by_an_administrator = replace(said, acting=replace(of_ann, brought_by=ADMIN.roles))
    assert members.decide(by_an_administrator, Member(Standing.ACTIVE))
    operates = registered.model_copy(update={"roles": (Role.OPERATOR,)})
    own = replace(said, acting=Acting("ann", OPERATOR.roles, brought_by=ADMIN.roles))
    assert members.decide(own, members.fold([operates]))


@pytest.mark.parametrize(
    ("kind", "roles", "clearance"),
    [
        (Kind.GUEST, (), Classification.OPEN),
        (Kind.STAFF, (), Classification.INTERNAL),
        (Kind.STAFF, (Role.EDITOR,), Classification.INTERNAL),
        (Kind.STAFF, (Role.LEADER,), Classification.CONFIDENTIAL),
        (Kind.STAFF, (Role.BOARD,), Classification.CONFIDENTIAL),
        (Kind.STAFF, (Role.ADMIN,), Classification.CONFIDENTIAL),
    ],
)
def test_clearance_follows_kind_and_roles_unless_it_is_said(
    kind: Kind, roles: tuple[Role, ...], clearance: Classification
) -> None:
    command = replace(register, kind=kind, roles=frozenset(roles))
    spec.given().when(command).then(
        registered.model_copy(update={"kind": kind, "roles": roles, "clearance": clearance})
    )
    said = replace(command, clearance=Classification.INTERNAL)
    told = {"kind": kind, "roles": roles, "clearance": Classification.INTERNAL}
    spec.given().when(said).then(registered.model_copy(update=told))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": "   "}, "name-missing"),
        ({"name": "x" * 201}, "text-too-long"),
        ({"name": "Ann\u202eevil"}, "text-invisible-character"),
        ({"name": "Ann\u200bB"}, "text-invisible-character"),
        ({"name": "Ann\x00"}, "text-with-control-character"),
        ({"name": "Ann\ud800"}, "text-not-unicode"),
        ({"email": "nobody"}, "email-unknown"),
        ({"email": "a@b@c.se"}, "email-unknown"),
        ({"country": "Sverige"}, "country-unknown"),
        ({"country": "UK"}, "country-unknown"),
        ({"language": "Swedish!"}, "language-unknown"),
        ({"language": "zz"}, "language-unknown"),
        ({"time_zone": "Europe/Atlantis"}, "time-zone-unknown"),
        ({"time_zone": "../etc/passwd"}, "time-zone-unknown"),
        ({"time_zone": "localtime"}, "time-zone-unknown"),
        ({"time_zone": "Factory"}, "time-zone-unknown"),
        ({"kind": Kind.GUEST, "roles": frozenset({Role.EDITOR})}, "guest-has-no-roles"),
    ],
)
def test_what_cannot_be_a_member_is_refused(change: dict[str, Any], code: str) -> None:
    spec.given().when(replace(register, **change)).refused(Refused, code)


def test_a_name_keeps_its_joiners_and_loses_its_double_spaces() -> None:
    joined = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
    name = replace(register, name=f"  {joined}   Ann ")
    spec.given().when(name).then(registered.model_copy(update={"name": Personal(f"{joined} Ann")}))


def _revoking(acting: Acting) -> tuple[Any, Any, Sequence[Event]]:
    return sessions, RevokeSession(acting, "s1"), (opened,)


COMMANDS: Mapping[Permission, Callable[[Acting], Any]] = {
    Permission.REGISTER_MEMBERS: lambda acting: (members, replace(register, acting=acting), ()),
    Permission.IMPORT_MEMBERS: lambda acting: (members, replace(imported, acting=acting), ()),
    Permission.CHANGE_ROLES: lambda acting: (
        members,
        ChangeRoles(acting, "ann", frozenset({Role.EDITOR})),
        (registered,),
    ),
    Permission.DEACTIVATE_MEMBERS: lambda acting: (members, DeactivateMember(acting, "ann"), (registered,)),
    Permission.ERASE_MEMBERS: lambda acting: (members, EraseMember(acting, "ann"), (registered,)),
    Permission.REVOKE_SESSIONS: lambda acting: _revoking(acting),
    Permission.SHAPE_UNITS: lambda acting: (units, FoundUnit(acting, "nordics", "Nordics"), ()),
    Permission.PLACE_MEMBERS: lambda acting: (
        members,
        PlaceMember(acting, "ann", ("nordics",), country="SE"),
        (registered,),
    ),
}


@pytest.mark.parametrize("permission", Permission)
@pytest.mark.parametrize("role", [None, *Role])
def test_each_permission_is_held_by_the_roles_that_the_table_names_and_by_no_other(
    permission: Permission, role: Role | None
) -> None:
    acting = Acting("somebody", frozenset({role.value} if role else ()))
    decider, command, history = COMMANDS[permission](acting)
    expected = {
        Permission.REGISTER_MEMBERS: {Role.ADMIN, Role.OPERATOR},
        Permission.IMPORT_MEMBERS: {Role.ADMIN, Role.OPERATOR},
        Permission.CHANGE_ROLES: {Role.ADMIN},
        Permission.DEACTIVATE_MEMBERS: {Role.ADMIN, Role.OPERATOR},
        Permission.ERASE_MEMBERS: {Role.ADMIN},
        Permission.REVOKE_SESSIONS: {Role.ADMIN, Role.OPERATOR},
        Permission.SHAPE_UNITS: {Role.ADMIN, Role.OPERATOR},
        Permission.PLACE_MEMBERS: {Role.ADMIN, Role.OPERATOR},
    }[permission]
    assert may(acting, permission) == (role in expected)
    done = Specification(decider).given(*history).when(command).outcome
    if role in expected:
        assert isinstance(done, list) and len(done) == 1, done
    else:
        assert isinstance(done, Forbidden | NotFound), done


def test_every_permission_is_in_the_table() -> None:
    assert set(HOLDERS) == set(Permission) == set(COMMANDS)


def test_only_an_admin_makes_administrators_or_touches_them() -> None:
    boss = replace(register, acting=OPERATOR, roles=frozenset({Role.ADMIN}))
    spec.given().when(boss).refused(Forbidden, "for-admins-only")
    chief = registered.model_copy(update={"roles": (Role.OPERATOR,)})
    spec.given(chief).when(DeactivateMember(OPERATOR, "ann")).refused(Forbidden, "for-admins-only")
    spec.given(chief).when(DeactivateMember(ADMIN, "ann")).then(MemberDeactivated(member_id="ann"))


def test_an_admin_neither_removes_nor_demotes_themselves() -> None:
    herself = Acting("ann", frozenset({"admin"}))
    chief = registered.model_copy(update={"roles": (Role.ADMIN,)})
    for command in (
        DeactivateMember(herself, "ann"),
        EraseMember(herself, "ann"),
        ChangeRoles(herself, "ann", frozenset()),
    ):
        spec.given(chief).when(command).refused(Forbidden, "not-yourself")


def test_roles_and_clearance_change_and_say_what_they_were() -> None:
    command = ChangeRoles(ADMIN, "ann", frozenset({Role.EDITOR, Role.COACH}), Classification.CONFIDENTIAL)
    spec.given(registered).when(command).then(
        RolesChanged(member_id="ann", old=(), new=(Role.COACH, Role.EDITOR)),
        ClearanceChanged(member_id="ann", old=Classification.INTERNAL, new=Classification.CONFIDENTIAL),
    )
    spec.given(registered).when(ChangeRoles(ADMIN, "ann", frozenset())).then()


def test_a_guest_is_given_no_roles() -> None:
    guest = registered.model_copy(update={"kind": Kind.GUEST})
    command = ChangeRoles(ADMIN, "ann", frozenset({Role.EDITOR}))
    spec.given(guest).when(command).refused(Refused, "guest-has-no-roles")


def test_a_member_chooses_their_own_language_and_nobody_elses() -> None:
    herself = Acting("ann")
    spec.given(registered).when(ChangeLanguage(herself, "ann", "fi")).then(
        LanguageChanged(member_id="ann", old="sv", new="fi")
    )
    spec.given(registered).when(ChangeLanguage(herself, "ann", "sv")).then()
    spec.given(registered).when(ChangeLanguage(ADMIN, "ann", "fi")).refused(Forbidden, "not-permitted")
    spec.given(registered).when(ChangeLanguage(herself, "ann", "zz")).refused(Refused, "language-unknown")
    before = registered.model_copy(update={"language": "zz"})
    spec.given(before).when(ChangeLanguage(herself, "ann", "zz")).then()


def test_leaving_and_being_forgotten_happen_once() -> None:
    left, forgotten = MemberDeactivated(member_id="ann"), MemberErased(member_id="ann")
    spec.given(registered).when(EraseMember(ADMIN, "ann")).then(forgotten)
    spec.given(registered, left).when(EraseMember(ADMIN, "ann")).then(forgotten)
    spec.given(registered, forgotten).when(EraseMember(ADMIN, "ann")).then()
    spec.given(registered, left).when(DeactivateMember(ADMIN, "ann")).then()
    spec.given(registered, left).when(ChangeLanguage(Acting("ann"), "ann", "fi")).refused(
        NotFound, "no-such-member"
    )
    spec.given().when(EraseMember(ADMIN, "ann")).refused(NotFound, "no-such-member")


def _changes(event: Event) -> Sequence[TokenChange]:
    changes: Sequence[TokenChange] = event.token_changes()  # type: ignore[attr-defined]
    return changes


def test_registration_grants_the_tokens_that_audiences_ask_for() -> None:
    staff = registered.model_copy(update={"roles": (Role.EDITOR,)})
    tokens = {"everyone", "staff", "member:ann", "country:SE", "language:sv", "role:editor"}
    assert _changes(staff) == [TokenChange("ann", grant=frozenset(tokens), clearance=Classification.INTERNAL)]
    guest = registered.model_copy(update={"kind": Kind.GUEST, "country": None})
    assert _changes(guest)[0].grant == {"everyone", "member:ann", "language:sv"}
    assert _changes(was_imported) == ()


def test_changes_grant_and_revoke_only_what_changed() -> None:
    roles = RolesChanged(member_id="ann", old=(Role.COACH, Role.EDITOR), new=(Role.EDITOR, Role.LEADER))
    assert _changes(roles) == [
        TokenChange("ann", grant=frozenset({"role:leader"}), revoke=frozenset({"role:coach"}))
    ]
    language = LanguageChanged(member_id="ann", old="sv", new="fi")
    assert _changes(language) == [
        TokenChange("ann", grant=frozenset({"language:fi"}), revoke=frozenset({"language:sv"}))
    ]
    assert _changes(MemberDeactivated(member_id="ann")) == [TokenChange("ann", gone=True)]
    assert _changes(MemberErased(member_id="ann")) == [TokenChange("ann", gone=True)]


names = Specification(accounts.user_names)
taken = UserNameTaken(member_id="ann", user_name=Personal("ann.å"))


def test_a_user_name_belongs_to_one_member_until_it_is_released() -> None:
    names.given().when(TakeUserName("n1", "ann", " Ann.Å ")).then(taken)
    names.given(taken).when(TakeUserName("n1", "ann", "ann.å")).then()
    names.given(taken).when(TakeUserName("n1", "bo", "ann.å")).refused(Conflict, "user-name-taken")
    names.given(taken).when(ReleaseUserName("n1", "bo")).then()
    released = UserNameReleased(member_id="ann")
    names.given(taken).when(ReleaseUserName("n1", "ann")).then(released)
    again = UserNameTaken(member_id="bo", user_name=Personal("ann.å"))
    names.given(taken, released).when(TakeUserName("n1", "bo", "ann.å")).then(again)


@pytest.mark.parametrize("spelling", ["ANN.Å", "ann.a\u030a", "\uff41nn.å", " ann.Å"])
def test_spellings_that_people_take_for_the_same_are_one_user_name(spelling: str) -> None:
    assert accounts.canonical(spelling) == "ann.å"


@pytest.mark.parametrize("text", ["", " ", "a b", "a\u200bb", "a/b", "x" * 101, "a@b@c", "a\nb", "a\ud800"])
def test_what_can_be_no_user_name_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refused:
        accounts.canonical(text)
    assert refused.value.code == "user-name-form"


def test_a_password_has_a_least_and_a_greatest_length_and_one_spelling() -> None:
    for password in ("x" * 11, "x" * 257):
        with pytest.raises(Refused) as refused:
            accounts.acceptable(password)
        assert refused.value.code == "password-length"
    assert accounts.acceptable("a\u030angstrom lamp") == accounts.acceptable("ångstrom lamp")


def test_an_account_is_opened_once_and_rehashed_only_from_the_hash_that_was_verified() -> None:
    account = Specification(accounts.accounts)
    was_opened = AccountOpened(member_id="ann", user_name_id="n1")
    first = PasswordSet(member_id="ann", password_hash=Personal("h1"))
    command = OpenAccount("ann", "n1", "h1")
    account.given().when(command).then(was_opened, first)
    account.given(was_opened, first).when(command).refused(Conflict, "account-exists")
    second = PasswordRehashed(member_id="ann", password_hash=Personal("h2"))
    account.given(was_opened, first).when(RehashPassword("ann", "h2", 1)).then(second)
    account.given(was_opened, first, second).when(RehashPassword("ann", "h3", 1)).then()


def test_no_state_keeps_a_password_hash_in_memory() -> None:
    state = accounts.accounts.fold([PasswordSet(member_id="ann", password_hash=Personal("h1"))])
    assert "h1" not in repr(state) and state == accounts.Account(hashes=1, passwords=1)


SECRET = secrets.hashed(b"s" * 32)
session = Specification(sessions)
opened: SessionOpened = SessionOpened(
    session_id="s1",
    member_id="ann",
    device=Personal("Firefox"),
    opened_at=NOON,
    expires_at=NOON + timedelta(days=30),
)
kept = SessionSecretSet(session_id="s1", secret_hash=SECRET)
use = UseSession("s1", SECRET, NOON + timedelta(minutes=1), timedelta(days=7))


def test_a_session_opens_and_keeps_only_the_hash_of_its_secret() -> None:
    command = OpenSession("s1", "ann", SECRET, "Firefox", NOON, timedelta(days=30))
    session.given().when(command).then(opened, kept)


def test_a_session_in_use_is_noted_once_an_hour() -> None:
    session.given(opened, kept).when(use).then()
    later = replace(use, now=NOON + COARSE)
    used = SessionUsed(session_id="s1", used_at=NOON + COARSE)
    session.given(opened, kept).when(later).then(used)
    session.given(opened, kept, used).when(replace(use, now=NOON + COARSE * 1.5)).then()


@pytest.mark.parametrize(
    ("history", "command"),
    [
        ((), use),
        ((opened,), use),
        ((opened, kept), replace(use, secret_hash=secrets.hashed(b"guess"))),
        ((opened, kept), replace(use, now=NOON + timedelta(days=7))),
        (
            (opened, kept, SessionUsed(session_id="s1", used_at=NOON + timedelta(days=29))),
            replace(use, now=NOON + timedelta(days=30)),
        ),
        ((opened, kept, SessionRevoked(session_id="s1")), use),
    ],
    ids=["unknown", "without a secret", "wrong secret", "idle", "too old", "revoked"],
)
def test_a_session_is_over_for_every_reason_alike(history: Sequence[Event], command: UseSession) -> None:
    session.given(*history).when(command).refused(Unauthenticated, "signed-out")


def test_a_member_revokes_their_own_session_and_nobody_elses() -> None:
    revoked = SessionRevoked(session_id="s1")
    session.given(opened, kept).when(RevokeSession(Acting("ann"), "s1")).then(revoked)
    session.given(opened, kept, revoked).when(RevokeSession(Acting("ann"), "s1")).then()
    session.given(opened, kept).when(RevokeSession(NOBODY, "s1")).refused(NotFound, "no-such-session")
    session.given(opened, kept).when(RevokeSession(OPERATOR, "s1")).then(revoked)


token = Specification(access_tokens)
issue = IssueAccessToken(
    "t1", "ann", " nightly report ", frozenset({Scope.READ}), SECRET, NOON, NOON + timedelta(days=90)
)
issued = AccessTokenIssued(
    token_id="t1",
    member_id="ann",
    name=Personal("nightly report"),
    scopes=(Scope.READ,),
    issued_at=NOON,
    expires_at=NOON + timedelta(days=90),
)
token_kept = AccessTokenSecretSet(token_id="t1", secret_hash=SECRET)
use_token = UseAccessToken("t1", SECRET, NOON)


def test_an_access_token_is_named_limited_and_kept_as_a_hash() -> None:
    token.given().when(issue).then(issued, token_kept)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": " "}, "access-token-name"),
        ({"name": "x" * 101}, "access-token-name"),
        ({"scopes": frozenset()}, "access-token-scopes"),
        ({"expires_at": NOON}, "access-token-life"),
        ({"expires_at": NOON + LONGEST_LIFE + timedelta(seconds=1)}, "access-token-life"),
    ],
)
def test_an_access_token_without_limits_is_refused(change: dict[str, Any], code: str) -> None:
    token.given().when(replace(issue, **change)).refused(Refused, code)


def test_an_access_token_in_use_is_noted_at_first_and_then_once_an_hour() -> None:
    used = AccessTokenUsed(token_id="t1", used_at=NOON)
    token.given(issued, token_kept).when(use_token).then(used)
    token.given(issued, token_kept, used).when(replace(use_token, now=NOON + COARSE / 2)).then()


@pytest.mark.parametrize(
    ("history", "command"),
    [
        ((), use_token),
        ((issued, token_kept), replace(use_token, secret_hash=secrets.hashed(b"guess"))),
        ((issued, token_kept), replace(use_token, now=NOON + timedelta(days=90))),
        ((issued, token_kept, AccessTokenRevoked(token_id="t1")), use_token),
    ],
    ids=["unknown", "wrong secret", "too old", "revoked"],
)
def test_an_access_token_is_over_for_every_reason_alike(
    history: Sequence[Event], command: UseAccessToken
) -> None:
    token.given(*history).when(command).refused(Unauthenticated, "signed-out")


def test_a_member_revokes_their_own_access_token_and_nobody_elses() -> None:
    revoke = RevokeAccessToken(Acting("ann"), "t1")
    token.given(issued).when(revoke).then(AccessTokenRevoked(token_id="t1"))
    token.given(issued).when(replace(revoke, acting=NOBODY)).refused(NotFound, "no-such-access-token")


def test_an_access_token_administers_only_with_that_scope() -> None:
    roles = frozenset({Role.ADMIN, Role.OPERATOR, Role.EDITOR})
    assert roles_within(frozenset({Scope.READ, Scope.WRITE}), roles) == {Role.EDITOR}
    assert roles_within(frozenset(Scope), roles) == roles


def test_a_shown_secret_names_its_stream_and_reveals_nothing_when_it_is_none() -> None:
    text = secrets.written(secrets.ACCESS_TOKEN_PREFIX, "0f" * 16, b"s" * 32)
    assert secrets.read(text) == secrets.Shown("fik_", "0f" * 16, SECRET)
    for broken in ("", "fik_", text[:-1], text[:-4], "xyz_" + text[4:], text + "A", "fik_" + "é" * 64):
        assert secrets.read(broken) is None
    assert not secrets.same(SECRET, None)
