"""Filled views of belonging and finding: groups, people, search."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services.gateway import places
from services.gateway.view_models import (
    Candidate,
    Choice,
    ConsentView,
    DirectoryView,
    Filter,
    FoundView,
    GroupCard,
    GroupForm,
    GroupFormView,
    GroupHead,
    GroupOfferView,
    GroupPeopleView,
    GroupRef,
    GroupRights,
    GroupsView,
    GroupView,
    Hit,
    InGroup,
    Invited,
    InviteView,
    Offer,
    OwnerlessGroup,
    OwnerlessView,
    OwnerView,
    PasswordView,
    PeopleFilter,
    Person,
    PersonCard,
    Piece,
    ProfileForm,
    ProfileFormView,
    ProfileView,
    Results,
    SearchView,
    SpaceRef,
    Suggested,
    SuggestionsView,
    UnitRef,
    View,
)

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
WHOLE = GroupRights(leave=True, describe=True, invite=True, remove=True, standing=True)


def views(text: str = "") -> dict[str, View]:
    """`text` replaces what members wrote."""
    return {**_lists(text), **_one(text), **_people(text), **_mine(text), **_search(text)}


def people(text: str) -> tuple[Person, Person, Person]:
    return (
        Person.named("m-nowak", text or "Elżbieta Nowak"),
        Person.named("m-moraes", text or "Thiago Moraes"),
        Person.erased("m-gone"),
    )


def groups(text: str) -> tuple[GroupRef, GroupRef, GroupRef]:
    return (
        GroupRef("g-floor", text or "Shop floor Nordics", "en"),
        GroupRef("g-returns", text or "Retur och återköp", "sv"),
        GroupRef("g-arabic", text or "فريق اللغة", "ar"),
    )


def _cards(text: str) -> list[GroupCard]:
    floor, returns, arabic = groups(text)
    return [
        GroupCard(floor, text or "What we learn between two customers.", 412, "open", "owner"),
        GroupCard(returns, text or "Hur vi gör det på en minut.", 1_136, "closed", "member"),
        GroupCard(arabic, text, 1, "open", None, may_join=True),
    ]


def _offer(text: str) -> Offer:
    return Offer(
        GroupRef("g-offer", text or "Warehouse Hamburg"),
        text or "Dock planning, forklifts and cake.",
        people(text)[1],
        NOW - timedelta(hours=3),
    )


def _lists(text: str) -> dict[str, View]:
    cards = _cards(text)
    wrong = {name: text or "This is too long." for name in ("name", "purpose", "language", "openness")}
    form = GroupForm("k1", text or "Food waste, halved", text or "Half of it by 2028.", "en", "closed")
    return {
        "groups": GroupsView(
            cards[:2],
            cards,
            [_offer(text), _offer(text)],
            total=3,
            more="c=1",
            more_mine="c=2",
            more_offers="c=3",
        ),
        "groups-mine": GroupsView(cards[:2], [], only_rest=True),
        "groups-asked": GroupsView([], [], [_offer(text)], more_offers="c=3", only_rest=True),
        "groups-found": GroupsView([], cards, query=text or "nordics", total=3),
        "groups-none-found": GroupsView([], [], query=text or "nordics"),
        "groups-empty": GroupsView([], []),
        "group-new": GroupFormView(GroupForm("k2", language="ca")),
        "group-new-wrong": GroupFormView(form, errors=wrong, problem=text or "Try again."),
        "group-edit": GroupFormView(form, groups(text)[0]),
    }


def _head(text: str, may: GroupRights = WHOLE) -> GroupHead:
    floor = groups(text)[0]
    standing = "owner" if may.describe else "member" if may.leave else None
    purpose = text or "What we learn between two customers."
    wiki = SpaceRef(floor.id, text or "Shop floor Nordics")
    return GroupHead(floor, purpose, "open", 412, may, standing, people(text), wiki)  # type: ignore[arg-type]


def _one(text: str) -> dict[str, View]:
    nowak, moraes, gone = people(text)
    inside = [
        InGroup(nowak, "owner", NOW - timedelta(days=700), me=True),
        InGroup(moraes, "owner", NOW - timedelta(days=40)),
        InGroup(gone, "member", NOW - timedelta(days=2)),
    ]
    invited = [Invited(moraes, nowak, NOW - timedelta(minutes=3))]
    found = [Candidate(nowak, standing="owner"), Candidate(moraes)]
    return {
        "group": GroupView(_head(text), [nowak, moraes], NOW - timedelta(days=900)),
        "group-open": GroupView(_head(text, GroupRights(join=True)), [nowak], None),
        "group-member": GroupView(_head(text, GroupRights(leave=True)), [], None),
        "group-offer": GroupOfferView(_offer(text)),
        "group-people": GroupPeopleView(_head(text), inside, invited, "c/1", "c/2"),
        "group-people-plain": GroupPeopleView(_head(text, GroupRights(leave=True)), inside),
        "group-people-waiting": GroupPeopleView(_head(text), inside[:1]),
        "group-invite": InviteView(_head(text), text or "ela", found),
        "group-invite-nobody": InviteView(_head(text), text or "ela", [], text or "They cannot come in."),
        "group-invite-away": InviteView(_head(text), text or "ela", None),
        "group-invite-begin": InviteView(_head(text)),
        "groups-ownerless": OwnerlessView([_orphan(text), replace(_orphan(text), openness="open")]),
        "groups-ownerless-none": OwnerlessView([]),
        "group-owner": OwnerView(_orphan(text), text or "ela", found[:1]),
        "group-owner-nobody": OwnerView(_orphan(text), text or "ela", [], text or "They are gone."),
    }


def _orphan(text: str) -> OwnerlessGroup:
    return OwnerlessGroup(_head(text).group, "closed", 7)


def _person_cards(text: str) -> list[PersonCard]:
    nowak, moraes, gone = people(text)
    unit = UnitRef("service", text or "Customer service")
    return [
        PersonCard(
            nowak,
            text or "Process owner, returns",
            unit,
            text or "Gdańsk",
            "PL",
            [text or "returns across borders", text or "process maps"],
            ["pl", "en", "de"],
            "pl",
            "Europe/Warsaw",
        ),
        PersonCard(moraes, "", unit, "", "BR", [], ["pt"], "pt", "America/Sao_Paulo", guest=True),
        PersonCard(gone, "", None, "", "SE"),
    ]


def _people(text: str) -> dict[str, View]:
    nowak, moraes, gone = people(text)
    cards = _person_cards(text)
    filters = [
        PeopleFilter(
            "unit", [Choice("/people", chosen=True), Choice("/people?unit=a", None, False, text or "A", "a")]
        ),
        PeopleFilter(
            "country",
            [Choice("/people"), Choice("/people?country=SE", chosen=True, code="SE")],
            "SE",
        ),
        PeopleFilter(
            "language", [Choice("/people"), Choice("/people?language=sv", code="sv")], text or "tlh"
        ),
    ]
    units = [UnitRef("nordvik", text or "Nordvik"), UnitRef("service", text or "Customer service")]
    whole = ProfileView(
        cards[0],
        units,
        text or "Ask me anything.\nI have been in every shop.",
        text or "+48 58 000 11 22",
        text or "ela@nordvik.test",
        moraes,
        [moraes, gone],
        groups(text),
        _hits(text)[:2],
        NOW - timedelta(days=4_000),
    )
    mine = ProfileView(PersonCard(nowak), shared=[], mine=True)
    return {
        "people": DirectoryView(cards, "", filters, [("country", text or "SE")], "/people?cursor=2", 21_480),
        "people-nobody": DirectoryView([], text or "ela", filters),
        "people-guest": DirectoryView([]),
        "people-away": DirectoryView(None),
        "profile": whole,
        "profile-mine": mine,
        "profile-name": ProfileView(PersonCard(moraes), shared=None, name_only=True),
    }


def _mine(text: str) -> dict[str, View]:
    wrong = {
        name: text or "This is too long."
        for name in ("time_zone", "phone", "about", "ask_me_about", "languages", "current", "new", "again")
    }
    zones = ("Europe/Stockholm", "America/Sao_Paulo")
    form = ProfileForm("Asia/Tokyo", text, text, text or "returns", ["sv", "en"], 3)
    address = places.member("m-maja")
    return {
        "profile-form": ProfileFormView(form, zones, ["sv", "en", "de"], address),
        "profile-form-wrong": ProfileFormView(form, zones, ["sv"], address, wrong, text or "Try again."),
        "settings-password": PasswordView(),
        "settings-password-wrong": PasswordView(wrong, text or "Try again."),
        "settings-consent": ConsentView(True, NOW - timedelta(days=3)),
        "settings-consent-undecided": ConsentView(False),
        "settings-consent-away": ConsentView(None),
    }


def _hits(text: str) -> list[Hit]:
    nowak, moraes, _ = people(text)
    floor = groups(text)[0]
    passage = [Piece(text or "A customer wanted to "), Piece(text or "return", True), Piece(text or " it.")]
    title = [Piece(text or "Returer", True), Piece(text or " från ett annat land")]
    at = NOW - timedelta(days=3)
    space = SpaceRef("s1", text or "Customer service")
    return [
        Hit("page", places.page("p1"), title, [passage, passage], "sv", at, nowak, space=space),
        Hit("post", places.post("p2"), [Piece(text or "Online orders")], [], "en", at, moraes, floor),
        Hit("comment", places.comment("p2", "c1"), [Piece(text or "Also here")], [passage], "en", at, nowak),
        Hit("person", places.member("m-nowak"), [Piece(text or "Elżbieta")], [passage], "pl", at, nowak),
        Hit("group", places.group("g-arabic"), [Piece(text or "فريق اللغة")], [passage], "ar", at, nowak),
    ]


def _search(text: str) -> dict[str, View]:
    _, returns, arabic = groups(text)
    title = [Piece(text or "Returer", True), Piece(text or " från ett annat land")]
    space = SpaceRef("s1", text or "Customer service")
    kinds = [
        Choice("/search?q=x", 38, True, code="all"),
        *(
            Choice(f"/search?q=x&kind={kind}", 7, code=kind)
            for kind in ("page", "post", "comment", "person", "group")
        ),
    ]
    orders = [
        Choice("/search?q=x", chosen=True, code="best"),
        Choice("/search?q=x&sort=newest", code="newest"),
    ]
    filters = [
        Filter("language", [Choice("/search", None, True), Choice("/search?language=sv", 14, code="sv")]),
        Filter("when", [Choice(f"/search?when={when}", code=when) for when in ("", "week", "month", "year")]),
        Filter("group", [Choice("/search?group=g", 17, label=returns.name, language=returns.language)]),
        Filter("space", [Choice("/search?space=s", 9, True, label=space.name)]),
    ]
    found = Results(38, _hits(text), "/search?cursor=2", None, kinds, orders, filters, "/search?q=x")
    none = Results(0, did_you_mean=(text or "returns", "/search?q=returns"), without_filters="/search?q=x")
    suggested = [
        Suggested("page", places.page("p1"), title, "sv"),
        Suggested("person", places.member("m-nowak"), [Piece(text or "Elżbieta")], "pl"),
        Suggested("group", places.group(arabic.id), [Piece(arabic.name)], "ar"),
    ]
    query = text or "retur utomlands"
    return {
        "search": SearchView(query, found, [("kind", text or "page")]),
        "search-nothing": SearchView(query, none),
        "search-begin": SearchView("", Results()),
        "search-away": SearchView(query, Results(away=True)),
        "found": FoundView(query, found),
        "suggestions": SuggestionsView(query, suggested),
    }
