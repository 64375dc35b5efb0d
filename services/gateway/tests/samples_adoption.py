"""Filled views of figures: a company that does well and badly, one that has just begun, and a hidden unit."""

from dataclasses import replace
from datetime import UTC, date, datetime

from services.gateway.pages import charts
from services.gateway.view_models import Person, View
from services.gateway.view_models.adoption import (
    AdoptionView,
    Behind,
    CountedLine,
    CountedOf,
    CountedView,
    Counting,
    Definition,
    Figure,
    FigureView,
    GroupRow,
    Measure,
    MyFiguresView,
    MyMonth,
    PeriodRow,
    UnitChoice,
)
from services.gateway.view_models.coaching import (
    CoachForm,
    CoachListView,
    CoachView,
    LikedLine,
    ListedLine,
    LookLine,
    MadeLine,
    MyCoaches,
    PoliciesView,
    PolicyForm,
    PolicyLine,
    Tabs,
)
from services.gateway.view_models.people import UnitRef

NOW = datetime(2026, 11, 3, 8, 51, tzinfo=UTC)
_PAST = [0.31, 0.34, None, 0.36, 0.41, 0.4, 0.45, 0.47, 0.5, 0.51, 0.52, 0.54]
_COUNTING = Counting(date(2026, 10, 1), True, NOW, False, "", 21_480)
_WEEKLY = Figure("weekly-active-members", "people", 900, change=40, steady=False, every="week")
_MONTHS = ["Nov", "Dec", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct"]


def views(text: str) -> dict[str, View]:
    units = [UnitChoice("nordvik", text or "Nordvik", 0), UnitChoice("sales", text or "Sales", 1)]
    spark = charts.spark(_PAST)
    figures = [
        Figure("passive-share", "share", 0.54, spark, {}, 0.03, False),
        Figure("announcement-reach", "share", 0.93, spark, {}, 0.002, True, first=date(2026, 9, 1)),
        Figure("language-share", "share", 0.87, spark, {}, -0.01, False),
        Figure("cross-unit-talk", "share", 0.27, spark, {}, 0.1, False),
        Figure("leaders-participation", "share", None, hidden=True),
        Figure("monthly-active-members", "share", 0.9, spark),
        Figure("mails-replaced", "acts", 431_000, spark, {"hours": 7_662.2}, 16_000, False),
        Figure("monthly-contributors", "people", 1, spark, {}, -4, False),
    ]
    behind = [
        Behind("language", "ar", "", 0.29, 298),
        Behind("unit", "poznan", text or "Logistics Poznań", -0.78, 26),
        Behind("unit", "logistics", text or "Logistics", -0.7, None, rest=True),
    ]
    nothing = [Figure("passive-share", "share", None)]
    return {
        "adoption": AdoptionView(figures, _COUNTING, behind, 4, units),
        "adoption-new": AdoptionView(nothing, Counting(None, False, None, False)),
        "adoption-unit": AdoptionView(
            figures[:2],
            Counting(date(2026, 11, 1), False, None, True, "2026-11-02"),
            units=units,
            unit="sales",
            unit_name=text or "Sales",
            errors={"as_of": text or "There is nothing before 3 March 2025."},
        ),
        "adoption-too-few": AdoptionView(
            [*nothing, Figure("announcement-reach", "share", None, later=True)],
            _COUNTING,
            units=units,
            unit="sales",
            unit_name=text or "Sales",
            too_few=True,
        ),
        "adoption-nobody": AdoptionView(
            nothing, _COUNTING, units=units, unit="sales", unit_name=text or "Sales", nobody=True
        ),
        "figure": _figure(text, figures[0], "unit"),
        "figure-unit": _figure_of_unit(text, figures[0]),
        "figure-week": _figure(text, _WEEKLY, "unit", replace(_COUNTING, every="week", tells_groups=False)),
        "figure-week-fewer": _figure(text, replace(_WEEKLY, change=-9), ""),
        "figure-week-steady": _figure(text, replace(_WEEKLY, steady=True), ""),
        "figure-week-new": _figure(text, replace(_WEEKLY, change=None, new=True), ""),
        "figure-week-nothing-before": _figure(text, replace(_WEEKLY, change=None), ""),
        "figure-week-none": _figure(text, replace(_WEEKLY, value=None), ""),
        "figure-index": _figure(text, Figure("cross-unit-talk", "index", -0.3), "language"),
        "figure-ladder-few": _figure(text, Figure("ladder", "people", 9), "unit"),
        "figure-ladder": _figure(text, Figure("ladder", "people", 9, more={"rose": 3, "fell": 1}), "country"),
        "figure-events": CountedView(
            _definition(text),
            "2026-10",
            [
                CountedLine("comment", Person.named("m-nowak", text or "Elżbieta Nowak"), NOW, "/posts/p1"),
                CountedLine("group-started", Person.erased("m-gone"), NOW, ""),
            ],
            "/adoption/passive-share",
            "/adoption/passive-share/events?cursor=x",
            CountedOf("unit", text or "Sales"),
            "5 October 2026",
        ),
        "figure-events-none": CountedView(_definition(text), "2026-10", [], "/adoption/passive-share"),
        **{
            f"figure-events-{by}{'' if name else '-unknown'}": CountedView(
                _definition(text), "2026-10", [], "/adoption/passive-share", of=CountedOf(by, name)
            )
            for by in ("unit", "country", "language")
            for name in ("", text or "Swedish")
        },
        "my-figures": MyFiguresView(_MINE, NOW, coaches=_my_coaches(text), tabs=Tabs(coach=True)),
        "my-figures-unseen": MyFiguresView(_MINE, NOW, coaches=MyCoaches("", False, False, False)),
        **_coaching(text),
    }


_MINE = [MyMonth("November 2026", {"post": 3, "read": 12}, "author"), MyMonth("October 2026", {}, "reader")]


def _my_coaches(text: str) -> MyCoaches:
    note = text or "For the Monday group in Malmö"
    claire = Person.named("m-claire", text or "Claire Dubois")
    looks = [
        LookLine(claire, NOW, "invite-to-group", note, False, [("invitation-to-group", NOW)]),
        LookLine(Person.erased("m-gone"), NOW, "hear-why", "", True),
    ]
    return MyCoaches("SE", True, True, False, looks, "/adoption/mine?cursor=x")


def _coaching(text: str) -> dict[str, View]:
    nowak = Person.named("m-nowak", text or "Elżbieta Nowak")
    moraes = Person.named("m-moraes", text or "Thiago Moraes")
    units = [UnitRef("shops", text or "Shops Germany, Austria and Switzerland")]
    wrong = text or "Say in a few words why: everybody on the list can read it."
    coach, decides = Tabs(coach=True), Tabs(decides=True)
    made = [
        MadeLine("talk", NOW, nowak, (2026, 45)),
        MadeLine("help-to-start", NOW, moraes),
        MadeLine("invitation-to-group", NOW),
    ]
    lines = [
        ListedLine(nowak, True, "28 October 2026", "", False, "commenter", units[0].name, [], [moraes]),
        ListedLine(
            moraes,
            False,
            "3 March 2025",
            "June 2026",
            False,
            "reader",
            units[0].name,
            [LikedLine("post", "sv", 12), LikedLine("page", "", 1)],
            [nowak, Person.named("m-claire", text or "Claire Dubois")],
            ["talk"],
        ),
        ListedLine(Person.erased("m-gone"), False, "3 March 2025", "November 2025", True, "not_signed_in"),
    ]
    policies = [
        PolicyLine("DE", False),
        PolicyLine("SE", True, nowak, NOW, text or "Agreed with the works council on 12 October."),
    ]
    return {
        "coach": CoachView(
            CoachForm("k"), coach, ["SE", "FI"], units, made=made, older="/adoption/coach?cursor=x"
        ),
        "coach-none": CoachView(CoachForm("k"), coach),
        "coach-wrong": CoachView(
            CoachForm("k", "SE", "shops", "hear-why", text or "x"),
            coach,
            ["SE"],
            units,
            errors={"note": wrong, "purpose": wrong, "country": wrong},
            problem=wrong,
        ),
        "coach-list": CoachListView(
            "l1",
            coach,
            "SE",
            "",
            "help-to-start",
            NOW,
            lines,
            True,
            wrong="m-moraes",
            errors={"offer": wrong},
        ),
        "coach-list-empty": CoachListView("l1", coach, "SE", text or "Sales", "hear-why", NOW),
        "coach-policies": PoliciesView(
            policies,
            decides,
            PolicyForm("k", "DE", "names-to-coaches", text or ""),
            {"reason": wrong, "naming": wrong},
        ),
        "coach-policies-read": PoliciesView(policies, Tabs()),
    }


def _definition(text: str) -> Definition:
    words = text or "Members who neither reacted, nor answered, nor wrote within the period."
    return Definition("passive-share", text or "Passive share", words, "passive / members", "Ours", 1)


def _figure(text: str, figure: Figure, by: str, counting: Counting = _COUNTING) -> FigureView:
    main = Measure("main", text or "Share who take part", figure.unit)
    index = figure.unit == "index"
    values = [None if value is None else value - 0.5 if index else value for value in _PAST]
    last = len(_MONTHS) - 1
    bars = [
        charts.Bar(value, month, 2025 + (at > 1), at < last)
        for at, (month, value) in enumerate(zip(_MONTHS, values, strict=True))
    ]
    rows = [
        PeriodRow(
            f"{month} 1 to 31, 2026", "2026-10", at < last, at < last - 1, {"main": value, "members": 21_480}
        )
        for at, (month, value) in enumerate(zip(_MONTHS, values, strict=True))
    ]
    groups = [
        GroupRow("unit:nordvik", "nordvik", text or "Nordvik", 0, 480, {"main": 0.5}, 0.5),
        GroupRow("unit:small", "small", text or "Small", 1, None, {}),
        GroupRow("unit:quiet", "quiet", text or "Quiet", 2, 12, {"main": None}),
    ]
    return FigureView(
        figure=figure,
        definition=_definition(text),
        counting=counting,
        plot=charts.columns(bars, 1.0 if index else None),
        main=main,
        measures=[main, Measure("members", "Members in the period", "people")],
        rows=list(reversed(rows)),
        groups=groups,
        by=by,  # type: ignore[arg-type]
        since="2025-11-01",
        may_look_behind=True,
    )


def _figure_of_unit(text: str, figure: Figure) -> FigureView:
    whole = _figure(text, figure, "")
    rows = [replace(row, values={}) if at % 5 < 3 else row for at, row in enumerate(whole.rows)]
    return replace(whole, unit="nordvik", unit_name=text or "Nordvik", rows=rows, groups=[])
