"""Members over HTTP: names for display, registering, importing, roles, leaving, erasing."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response, status

from contracts.identity import Kind, Role
from services.identity.accounts.administering import acting_now, change_standing
from services.identity.accounts.membership import Imported, Membership, NewAccount
from services.identity.api import acting
from services.identity.directory import Directory, Entry
from services.identity.domain import members as rules
from services.identity.domain.members import (
    ChangeLanguage,
    ChangeRoles,
    DeactivateMember,
    RegisterMember,
)
from services.identity.domain.permissions import Acting
from services.identity.domain.profiles import ChangeProfile
from services.identity.inputs import (
    DirectoryPage,
    Ids,
    Import,
    ImportedMember,
    ImportReport,
    ListedMembers,
    ListedNames,
    MemberItem,
    NameItem,
    NewLanguage,
    NewMember,
    NewProfile,
    NewRoles,
    Registered,
    ids_of,
)
from services.identity.projections import MemberView
from services.identity.projections import acquaintances as acquaintance_views
from services.identity.projections import members as member_views
from services.identity.texts import opened, texts
from shared.kernel.errors import Refused
from shared.kernel.personal import lines
from shared.runtime import cursors
from shared.runtime.http import (
    After,
    Caller,
    Cursor,
    Doing,
    IdempotencyKey,
    IfMatch,
    PageSize,
    answer_behind,
    answer_commit,
)
from shared.runtime.ids import new_id
from shared.runtime.keys import KeyRing, Missing
from shared.runtime.service import Service

#: Stand in for a name; the flag beside it lets the gateway say it in the reader's language.
ERASED_NAME = "Former member"
PENDING_NAME = "…"


async def _names(ring: KeyRing, views: Sequence[MemberView]) -> list[NameItem]:
    found = await opened(ring, [view.name for view in views])
    return [_name(view, text) for view, text in zip(views, found, strict=True)]


def _name(view: MemberView, text: str | Missing | None) -> NameItem:
    erased, pending = text is Missing.ERASED, text is Missing.UNKNOWN
    readable = ERASED_NAME if erased else PENDING_NAME if pending else str(text)
    return NameItem(
        member_id=view.member_id,
        name=readable,
        kind=view.kind,
        state=view.standing,
        erased=erased,
        pending=pending,
        synthetic=view.synthetic,
    )


async def _items(ring: KeyRing, views: Sequence[MemberView]) -> list[MemberItem]:
    names = await _names(ring, views)
    sealed = [(view.email, view.phone, view.about, view.ask_me_about) for view in views]
    plain = iter(await texts(ring, [text for each in sealed for text in each]))
    opened = {"email", "phone", "about", "ask_me_about"}
    left = set(MemberItem.model_fields) - set(NameItem.model_fields) - opened
    return [
        MemberItem(
            **name.model_dump(),
            **view.model_dump(include=left),
            email=next(plain),
            phone=next(plain),
            about=next(plain),
            ask_me_about=lines(next(plain)) or view.asked_about_before,
        )
        for view, name in zip(views, names, strict=True)
    ]


async def _item(ring: KeyRing, view: MemberView) -> MemberItem:
    (item,) = await _items(ring, [view])
    return item


def _registration(new: NewMember, by: Acting) -> RegisterMember:
    return RegisterMember(
        acting=by,
        member_id=new.member_id or new_id(),
        kind=new.kind,
        name=new.name,
        email=new.email,
        country=new.country,
        language=new.language,
        time_zone=new.time_zone,
        roles=frozenset(new.roles),
        clearance=new.clearance,
        signs_in=new.signs_in,
    )


def _account(new: NewMember) -> NewAccount | None:
    if new.user_name is None and new.password is None:
        return None
    if new.user_name is None or new.password is None or not new.signs_in:
        raise Refused(
            "account-incomplete", "An account takes a user name and a password, and a member who signs in."
        )
    return NewAccount(new.user_name, new.password)


def _imported(one: ImportedMember, by: Acting, membership: Membership) -> Imported:
    command = RegisterMember(
        acting=by,
        member_id=one.member_id,
        kind=Kind.STAFF,
        name=one.name,
        country=one.country,
        language=one.language,
        time_zone=one.time_zone,
        signs_in=False,
        author_digest=membership.author_digest(one.imported_as),
    )
    return Imported(command, one.occurred_at)


async def _asked_for(
    unit: Annotated[str | None, Query(max_length=64, description="Of this unit or a part of it")] = None,
    country: Annotated[str | None, Query(max_length=2)] = None,
    language: Annotated[str | None, Query(max_length=40, description="Prefers or reads it")] = None,
    office: Annotated[str | None, Query(max_length=64)] = None,
    role: Annotated[Role | None, Query()] = None,
    manager: Annotated[str | None, Query(max_length=64, description="Reports to this member")] = None,
) -> dict[str, str]:
    """The directory's filters, by the names that it knows them by."""
    asked = {
        "units": unit,
        "country": country,
        "languages": language,
        "office": office,
        "roles": role.value if role else None,
        "manager_id": manager,
    }
    return {name: value for name, value in asked.items() if value is not None}


def reading_router(service: Service, directory: Directory) -> APIRouter:
    """Who is who."""
    api = APIRouter(tags=["members"])
    views, acquaintances = service.views(member_views), service.views(acquaintance_views)

    @api.get("/members")
    async def read_names(ids: Ids, caller: Caller, after: After, response: Response) -> ListedNames:
        """Names for display; ids that nobody has are left out, and for a guest those of members whom they
        never met in a group. The list of all is at `/members/directory`."""
        asked = ids_of(ids)
        answer_behind(response, await service.behind(after, member_views, acquaintance_views))
        found = await views.get_many({*asked, caller.member_id})
        mine = found.get(caller.member_id)
        if mine is None or mine.kind is not Kind.STAFF:
            met = await acquaintances.get_many(asked, await service.readers.of(caller))
            found = {member_id: view for member_id, view in found.items() if member_id in met}
        return ListedNames(items=await _names(service.keys, [found[key] for key in asked if key in found]))

    @api.get("/me")
    async def read_me(caller: Caller, after: After, response: Response) -> MemberItem:
        answer_behind(response, await service.behind(after, member_views, key=caller.member_id))
        view = await views.get(caller.member_id)
        if view is None:
            raise rules.no_such_member()
        return await _item(service.keys, view)

    @api.get("/members/cards")
    async def read_cards(ids: Ids, caller: Caller, after: After, response: Response) -> ListedMembers:
        """Of each what `/members/{member_id}` answers, in the order of the ids; those that it would refuse
        are left out."""
        asked = ids_of(ids)
        answer_behind(response, await service.behind(after, member_views))
        found = await views.get_many(asked, await service.readers.of(caller))
        return ListedMembers(items=await _items(service.keys, [found[key] for key in asked if key in found]))

    @api.get("/members/directory")
    async def read_directory(
        caller: Caller,
        after: After,
        response: Response,
        where: Annotated[dict[str, str], Depends(_asked_for)],
        limit: PageSize,
        cursor: Cursor,
        alphabet: Annotated[str, Query(max_length=40, description="A language, such as sv")] = "en",
    ) -> DirectoryPage:
        """Who signs in here, by name in the alphabet of `alphabet`, as far as the caller may see them."""
        answer_behind(response, await service.behind(after, member_views))
        reader = await service.readers.of(caller)
        begin = cursors.checked(cursor, str, str)
        start = Entry(*begin) if begin else None
        found = await directory.find(reader, where, alphabet, limit + 1, start)
        last = found[limit - 1] if len(found) > limit else None
        members = await views.get_many([entry.member_id for entry in found[:limit]], reader)
        shown = [members[entry.member_id] for entry in found[:limit] if entry.member_id in members]
        return DirectoryPage(
            items=await _items(service.keys, shown),
            next=cursors.encode([last.name, last.member_id]) if last else None,
        )

    @api.get("/members/{member_id}")
    async def read_member(member_id: str, caller: Caller, after: After, response: Response) -> MemberItem:
        answer_behind(response, await service.behind(after, member_views, key=member_id))
        view = await views.get(member_id, await service.readers.of(caller))
        if view is None:
            raise rules.no_such_member()
        return await _item(service.keys, view)

    return api


def changing_router(service: Service, membership: Membership) -> APIRouter:
    """What administrators and operators do, and each member for themselves."""
    api = APIRouter(tags=["members"])

    @api.post("/members", status_code=status.HTTP_201_CREATED)
    async def register_member(
        new: NewMember, caller: Caller, doing: Doing, key: IdempotencyKey, response: Response
    ) -> Registered:
        by = await acting_now(service.store, caller)
        done = await membership.register(_registration(new, by), _account(new), doing, key)
        answer_commit(response, done)
        return Registered(member_id=done.stream.removeprefix(rules.stream("")))

    @api.post("/members/import")
    async def import_members(given: Import, caller: Caller, doing: Doing) -> ImportReport:
        """Repeatable: who is there already stays as they are."""
        by = await acting_now(service.store, caller)
        imported = [_imported(one, by, membership) for one in given.members]
        new = await membership.import_all(imported, doing)
        return ImportReport(registered=new, already_there=len(given.members) - new)

    @api.put("/members/{member_id}/roles", status_code=status.HTTP_204_NO_CONTENT)
    async def change_roles(
        member_id: str, new: NewRoles, caller: Caller, doing: Doing, if_match: IfMatch, response: Response
    ) -> None:
        command = partial(
            ChangeRoles, member_id=member_id, roles=frozenset(new.roles), clearance=new.clearance
        )
        done = await change_standing(service.store, caller, command, doing, if_match=if_match)
        answer_commit(response, done)

    @api.post("/members/{member_id}/deactivate", status_code=status.HTTP_204_NO_CONTENT)
    async def deactivate_member(member_id: str, caller: Caller, doing: Doing, response: Response) -> None:
        command = partial(DeactivateMember, member_id=member_id)
        answer_commit(response, await change_standing(service.store, caller, command, doing))

    @api.delete("/members/{member_id}", status_code=status.HTTP_204_NO_CONTENT)
    async def erase_member(member_id: str, caller: Caller, doing: Doing, response: Response) -> None:
        """For good: what is personal about them can be read by nobody any more."""
        answer_commit(response, await membership.erase(caller, member_id, doing))

    @api.put("/me/profile", status_code=status.HTTP_204_NO_CONTENT)
    async def change_my_profile(
        new: NewProfile, caller: Caller, doing: Doing, if_match: IfMatch, response: Response
    ) -> None:
        command = ChangeProfile(acting=acting(caller), member_id=caller.member_id, **new.model_dump())
        answer_commit(response, await service.store.handle(rules.members, command, doing, if_match=if_match))

    @api.put("/me/language", status_code=status.HTTP_204_NO_CONTENT)
    async def change_my_language(new: NewLanguage, caller: Caller, doing: Doing, response: Response) -> None:
        command = ChangeLanguage(acting(caller), caller.member_id, new.language)
        answer_commit(response, await service.store.handle(rules.members, command, doing))

    return api
