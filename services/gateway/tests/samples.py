"""One filled view for every template, with a text of choice wherever members write."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

from markupsafe import Markup

from services.gateway.locale import Locale
from services.gateway.tests import samples_adoption, samples_belonging, samples_talk
from services.gateway.view_models import (
    ChangedPage,
    CompareView,
    ConflictView,
    DeletedPageView,
    DeleteView,
    DiffBlock,
    DiffFact,
    DiffPiece,
    DiffSame,
    EditView,
    GroupRef,
    HistoryView,
    MoveView,
    Notice,
    OperateView,
    PageForm,
    PageHead,
    PageRef,
    PartLine,
    Person,
    PreviewView,
    ProblemView,
    RebuildLine,
    RevisionLine,
    RevisionView,
    Rights,
    SessionLine,
    SessionsView,
    SettingsView,
    Shell,
    SignInView,
    SpaceCard,
    SpaceRef,
    SpacesView,
    SpaceView,
    TocEntry,
    TokenLine,
    TokensView,
    TreeNode,
    View,
    ViewLine,
    WikiPageView,
)
from services.gateway.view_models.shell import Typed
from services.gateway.view_models.tour import GuestTourView, Planted, Stops, TourView

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
ALL = Rights(edit=True, move=True, delete=True, restore=True)
PROSE = Markup((Path(__file__).parent / "sample_prose.html").read_text())  # noqa: S704 - our own file
KINDS = get_args(ProblemView.__annotations__["kind"])


def ago(**past: float) -> datetime:
    return NOW - timedelta(**past)


def shell(
    language: str = "en", *, text: str = "", signed_in: bool = True, place: str = "wiki", **more: object
) -> Shell:
    values: dict[str, object] = {
        "locale": Locale(language, zone="Europe/Stockholm"),
        "now": NOW,
        "path": "/wiki/pages/p1?after=x",
        "csrf_token": "csrf-1",
        "viewer": Person.named("m-maja", text or "Maja Lindqvist") if signed_in else None,
        "operator": signed_in,
        "may_write": signed_in,
        "place": place,
        "notices": [Notice(text or "The page is saved.")],
        "groups": samples_belonging.groups(text) if signed_in else (),
        "demo": True,
    }
    return Shell(**{**values, **more})  # type: ignore[arg-type]


def views(text: str = "") -> dict[str, View]:
    """Every template, by a name for the picture. `text` replaces what members wrote."""
    return {
        **_door_views(text),
        **_reading_views(text),
        **_comparing_views(text),
        **_writing_views(text),
        **_account_views(text),
        **_operating_views(text),
        **samples_belonging.views(text),
        **samples_talk.views(text),
        **samples_adoption.views(text),
        **_tour_views(text),
    }


def _people(text: str) -> tuple[Person, Person, Person]:
    return (
        Person.named("m-nowak", text or "Elżbieta Nowak"),
        Person.named("m-moraes", text or "Thiago Moraes"),
        Person.erased("m-gone"),
    )


def _space(text: str) -> SpaceRef:
    return SpaceRef("service", text or "Customer service")


def _changed(text: str) -> list[ChangedPage]:
    nowak, moraes, gone = _people(text)
    space = _space(text)
    return [
        ChangedPage(
            PageRef("p1", text or "Returns bought in another country", "en"),
            space,
            ago(minutes=12),
            nowak,
            text or "Order numbers that start with 7, thanks to Aino",
        ),
        ChangedPage(
            PageRef("p2", text or "Semesterplanering för butikschefer", "sv"), space, ago(hours=20), moraes
        ),
        ChangedPage(PageRef("p3", text or "Warranty", "en"), space, ago(days=700), gone),
    ]


def _cards(text: str) -> list[SpaceCard]:
    return [
        SpaceCard(_space(text), 1_246, ago(minutes=12), text or "What we answer, and how."),
        SpaceCard(SpaceRef("people", text or "People and work"), 1, None),
    ]


def _head(text: str) -> PageHead:
    return PageHead(
        id="p1",
        title=text or "Returns bought in another country",
        language="en",
        space=_space(text),
        path="returns/another-country.md",
        classification="internal",
        revision=17,
        crumbs=[TreeNode(text or "Returns", "p0", language="en"), TreeNode(text or "Special cases")],
    )


def _tree(text: str) -> list[TreeNode]:
    return [
        TreeNode(text or "Opening a case", "p9"),
        TreeNode(
            text or "Returns",
            None,
            [
                TreeNode(text or "With a receipt", "p8", [TreeNode(text or "On paper", "p7")]),
                TreeNode(text or "Bought in another country", "p1"),
            ],
        ),
    ]


def _revisions(text: str) -> list[RevisionLine]:
    nowak, moraes, gone = _people(text)
    return [
        RevisionLine(17, ago(minutes=12), nowak, text or "Order numbers that start with 7"),
        RevisionLine(16, ago(days=10), moraes, kind="moved"),
        RevisionLine(15, ago(days=18), nowak, kind="restored"),
        RevisionLine(1, ago(days=900), gone, kind="created"),
    ]


def _blocks(text: str) -> list[DiffBlock | DiffSame]:
    return [
        DiffSame(12),
        DiffBlock(
            [
                DiffPiece("Scan the receipt. "),
                DiffPiece(text or "Without a receipt, fetch the shop manager.", "gone"),
            ],
            [
                DiffPiece("Scan the receipt"),
                DiffPiece(text or ", or ask for the mail with the order number", "new"),
            ],
        ),
        DiffBlock([], [DiffPiece(text or "Bought online? Key in the order number.", "new")]),
        DiffSame(1),
    ]


def _door_views(text: str) -> dict[str, View]:
    return {
        "sign-in": SignInView(),
        "sign-in-refused": SignInView(
            back="/wiki",
            username=text or "maja",
            errors={
                "password": text or "That password does not fit this account. Check Caps Lock and try again."
            },
            problem=text,
        ),
    }


def _reading_views(text: str) -> dict[str, View]:
    nowak, moraes, _ = _people(text)
    head, revisions = _head(text), _revisions(text)
    toc = [TocEntry("short", text or "In short", 2), TocEntry("partners", text or "Partners", 3)]
    return {
        "wiki-spaces": SpacesView(_cards(text)[:1], _cards(text)[1:]),
        "wiki-spaces-near": SpacesView(_cards(text)),
        "wiki-spaces-empty": SpacesView([]),
        "wiki-space": SpaceView(
            _space(text), 1_246, _tree(text), _changed(text), True, text or "What we answer."
        ),
        "wiki-space-empty": SpaceView(_space(text), 0, [], [], True),
        "wiki-page": WikiPageView(
            page=head,
            html=PROSE,
            owner=nowak,
            revised_at=ago(minutes=12),
            revised_by=moraes,
            audience=["staff", "country:SE&role:leader", "group:" + (text or "g1")],
            seen_because="staff",
            may=ALL,
            toc=toc,
            nearby=_tree(text),
            history=revisions,
            backlinks=[PageRef("p4", text or "Christmas returns 2026", "en")],
            more_backlinks=3,
            groups=[GroupRef(text or "g1", text or "Shop floor Nordics", "en")],
        ),
        "wiki-page-open": WikiPageView(
            replace(head, classification="open", language="ar", crumbs=[]),
            Markup("<p>مرحبا بكم</p>"),
            Person.named("m-x", ""),
            ago(hours=3),
            nowak,
            ["everyone"],
            "everyone",
            Rights(edit=True),
        ),
        "wiki-page-bare": WikiPageView(
            replace(head, classification="confidential"),
            PROSE,
            nowak,
            ago(days=1),
            nowak,
            ["everyone", "member:m-maja"],
            "member:m-maja",
            Rights(),
        ),
        "wiki-history": HistoryView(head, revisions, 17, older="cursor+1/=", old=16, new=17),
        "wiki-history-single": HistoryView(head, revisions[:1], 1),
        "wiki-revision": RevisionView(head, revisions[1], text or "Returns", PROSE, ALL),
        "wiki-revision-current": RevisionView(head, revisions[0], text or "Returns", PROSE, Rights()),
        "wiki-deleted": DeletedPageView(head, RevisionLine(18, ago(days=2), nowak, text, "deleted"), ALL),
        "preview": PreviewView(PROSE, "en"),
        "preview-empty": PreviewView(Markup(""), "ar"),
    }


def _comparing_views(text: str) -> dict[str, View]:
    head, revisions = _head(text), _revisions(text)
    facts = [
        DiffFact("title", text or "Returns", text or "Returns bought in another country"),
        DiffFact("path", text or "returns.md", text or "returns/another-country.md"),
        DiffFact("classification", "open", "internal"),
        DiffFact("audience", "", "staff"),
        DiffFact("language", "sv", "en"),
        DiffFact("owner", text or "Thiago", text or "Elżbieta"),
        DiffFact("space", text or "People", text or "Customer service"),
    ]
    compare = CompareView(head, revisions[1], revisions[0], _blocks(text), ALL, facts[:2], (15, 16), (17, 18))
    return {
        "wiki-compare": compare,
        "wiki-compare-facts": CompareView(head, revisions[1], revisions[0], [], ALL, facts),
        "wiki-compare-same": CompareView(head, revisions[1], revisions[0], [], Rights()),
    }


def _writing_views(text: str) -> dict[str, View]:
    head, revisions = _head(text), _revisions(text)
    spaces = [_space(text), SpaceRef("people", text or "People and work")]
    body = f"## In short\n\nScan the receipt. {text}\n"
    form = PageForm(
        "k1", text or "Returns", body, text, audience=["staff", "group:" + (text or "g1")], space="service"
    )
    wrong = {
        name: text or "Say it in 1 to 200 characters."
        for name in ("title", "body", "note", "audience", "classification", "language", "space", "path")
    }
    return {
        "wiki-edit": EditView(form, spaces, page=head, preview=PROSE),
        "wiki-new": EditView(PageForm("k2"), spaces[:1], other_spaces=spaces[1:]),
        "wiki-new-wrong": EditView(
            form, spaces, errors=wrong, problem=text or "The wiki does not answer right now."
        ),
        "wiki-conflict": ConflictView(head, form, revisions[0], f"Their text {text}", _blocks(text)),
        "wiki-move": MoveView(head, "k3", head.path, text, 12),
        "wiki-move-wrong": MoveView(
            head,
            "k3",
            text,
            backlinks=1,
            errors={"path": text or "This path is taken."},
            problem=text,
        ),
        "wiki-delete": DeleteView(head, "k4", [PageRef("p4", text or "Christmas returns 2026", "en")], text),
        "wiki-delete-unlinked": DeleteView(
            head, "k4", [], errors={"note": text or "Shorten the note."}, problem=text
        ),
    }


def _account_views(text: str) -> dict[str, View]:
    tokens = [
        TokenLine("t1", text or "Nightly export", ago(days=30), NOW + timedelta(days=60), ago(hours=7)),
        TokenLine("t2", text or "Old laptop", ago(days=300), ago(days=1)),
    ]
    sessions = [
        SessionLine("s1", text or "Firefox, Linux", ago(days=3), ago(minutes=1), current=True),
        SessionLine("s2", text or "Safari, iPhone", ago(days=12), ago(days=1)),
    ]
    return {
        "settings": SettingsView(),
        "tokens": TokensView(tokens, "k5"),
        "tokens-created": TokensView(tokens, "k5", secret="fkr_" + "x7Qm" * 12),
        "tokens-wrong": TokensView(
            [], "k5", name=text, errors={"name": text or "Give it a name.", "days": text}
        ),
        "sessions": SessionsView(sessions),
    }


def _tour_views(text: str) -> dict[str, View]:
    every = Stops("p1", "p2", True, "g1", "g2", "g4", "demo-logistics-poznan", "w1")
    planted = Planted(500, 2_744, NOW, 35, 10, NOW, 51, 18, 452, 296, 26, "es", 47, 9)
    signing_in = [("saga", "member"), ("gemma", "guest"), (text or "leena", text or "leader")]
    return {
        "tour": TourView(every, planted, ["admin", "editor", text or "coach"], signing_in),
        "tour-guest": GuestTourView([GroupRef("g3", text or "Suppliers", "en")]),
        "tour-guest-alone": GuestTourView([]),
    }


def _operating_views(text: str) -> dict[str, View]:
    engines = [
        PartLine("mongodb", "ready", 4_211, 412_000_000),
        PartLine("kafka", "ready", 4_212, 731_000_000),
        PartLine("opensearch", "starting", 4_213, 1_240_000_000),
    ]
    services = [
        PartLine("identity", "ready", 4_301, 88_000_000, 0.04),
        PartLine("wiki", "degraded", 4_302, 101_000_000, 42.0, text or "The relay waits for Kafka."),
        PartLine("gateway", "failed", None, None, None, text or "The port 8080 is taken."),
    ]
    lines = [
        ViewLine("wiki.pages", 3, 0.1),
        ViewLine("wiki.backlinks", 1, 1.4, 212, 1),
    ]
    rebuilds = [
        RebuildLine("wiki.pages", 4, 14_200, 23_300, 13_640.4, 671.0),
        RebuildLine("wiki.spaces", 2, 0, 0),
    ]
    ready = [PartLine("mongodb", "ready", 4_211, 412_000_000), PartLine("spare", "ready")]
    problems: dict[str, View] = {
        f"problem-{kind}": ProblemView(kind, text, "01J9Z3K2"[: 8 * (kind in ("away", "failed"))])
        for kind in KINDS
    }
    typed = Typed("/wiki/new", {"body": text or "Say welcome.", "note": text or "As agreed."}, {"key": ["k"]})
    problems["problem-typed"] = ProblemView("away", text, typed=typed)
    return {
        "operate": OperateView(engines, services, lines, rebuilds, NOW, "0.1.0"),
        "operate-parked": OperateView(ready, ready, lines, as_of=NOW),
        "operate-calm": OperateView(ready, ready, lines[:1]),
        "operate-halting": OperateView([PartLine("kafka", "stopping"), PartLine("kafka", "stopped")], [], []),
        **problems,
    }
