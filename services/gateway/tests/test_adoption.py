"""Figures on pages: for all staff, with their past, their definition, and what they count for those who may
know."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, cast

import pytest

from services.gateway.locale import Locale
from services.gateway.pages.adoption import _behind, _board, _earlier, _Found, units
from services.gateway.pages.figure_answers import SeriesSaid
from services.gateway.pages.figures import _STEPS, as_day, group_counted, one, to_compare_with
from services.gateway.pages.figures import figure_of as told
from services.gateway.pages.left_behind import LEAST_TEXTS, languages_behind, units_behind
from services.gateway.render import render
from services.gateway.tests import samples_adoption
from services.gateway.tests.house import House
from services.gateway.tests.samples import shell
from services.gateway.tests.test_pages import text_of
from services.gateway.tests.visitors import Gateway
from services.gateway.view_models.adoption import CountedView
from shared.kernel.errors import NotFound
from shared.runtime.ids import new_id
from shared.tests.eventually import eventually

Json = dict[str, Any]


async def test_the_board_reads_each_figure_as_a_sentence_and_finds_how_it_is_counted(
    gateway: Gateway, house: House
) -> None:
    eskil = await gateway.visitor(house.members["eskil"])
    text = f"Counted {new_id()}"
    program = gateway.client(**house.members["saga"].bearer)
    posted = await program.post("/api/v1/posts", json={"text": text, "audience": ["staff"], "language": "en"})
    assert posted.status_code == 201

    async def counted() -> None:
        """The month that is not over has somebody who wrote."""
        page = await eskil.see("/adoption/monthly-contributors")
        row = re.search(r"not over</span></th>\s*<td class=\"n\"[^>]*>(\d+)</td>", page.text)
        assert row and int(row[1]) > 0, text_of(page)

    await eventually(counted)
    page = (await eskil.see("/adoption")).text
    assert page.count('class="stat"') == 8
    links = re.findall(r'href="(/adoption/[a-z-]+)"', page)
    assert {"/adoption/passive-share", "/adoption/ladder", "/adoption/mine"} <= set(links)
    for link in dict.fromkeys(links):
        if link != "/adoption/mine":
            seen = await eskil.see_soon(link, "Complete up to")
            assert "How it is counted" in seen.text, link
            assert f'href="/api/v1/metrics/{link.rpartition("/")[2]}?format=csv"' in seen.text


@pytest.mark.parametrize("by", ["unit", "country", "language"])
async def test_a_group_of_fewer_than_five_is_not_told(gateway: Gateway, house: House, by: str) -> None:
    """There are fewer than five of every kind in this house."""
    eskil = await gateway.visitor(house.members["eskil"])
    seen = await eskil.see(f"/adoption/monthly-contributors?by={by}")
    assert seen.status_code == 200 and f"By {by}" in text_of(seen)
    assert "never shown" in text_of(seen) and "<progress" not in seen.text
    # Nobody here is in a unit.
    assert by == "unit" or "not told" in text_of(seen)


async def test_a_day_that_there_was_nothing_on_is_said_beside_the_field(
    gateway: Gateway, house: House
) -> None:
    eskil = await gateway.visitor(house.members["eskil"])
    for path in ("/adoption", "/adoption/ladder"):
        for wrong in ("1999-01-01", "yesterday"):
            seen = await eskil.see(f"{path}?as_of={wrong}")
            assert seen.status_code == 422 and 'id="as_of-error"' in seen.text, (path, wrong)
    for days, field in (("from=2100-01-01", "from"), ("from=2026-03&to=2026-02", "from"), ("to=x", "to")):
        seen = await eskil.see(f"/adoption/ladder?{days}")
        assert seen.status_code == 422 and f'id="{field}-error"' in seen.text, days
    kept = await eskil.see("/adoption/ladder?from=2026-03&to=2026-02")
    assert 'name="from" type="date" value="2026-03-01"' in kept.text, "what was typed is still there"
    month = f"{datetime.now(UTC):%Y-%m}"
    answered = await eskil.see(f"/adoption/ladder?from={month}&to={month}&as_of={month}")
    assert answered.status_code == 200 and f'name="from" type="date" value="{month}-01"' in answered.text
    wrong_by = await eskil.see("/adoption/ladder?by=nope")
    assert wrong_by.status_code == 422 and 'id="by-error"' in wrong_by.text
    assert (await eskil.see("/adoption/ladder/events")).status_code == 404
    alva = await gateway.visitor(house.members["alva"])
    for wrong in (
        "period=2026-13",
        "period=2026-W60",
        "period=2026-10&as_of=nope",
        "period=2026-10&group=nope",
    ):
        seen = await alva.see(f"/adoption/ladder/events?{wrong}")
        assert seen.status_code == 404 and "Nothing was saved" not in seen.text, wrong
    assert (await eskil.see("/adoption/no-such-thing")).status_code == 404
    for unit in ("nowhere", "unknown", "no unit"):
        assert (await eskil.see(f"/adoption?unit={unit}")).status_code == 404
        assert (await eskil.see(f"/adoption/ladder?unit={unit}")).status_code == 404


async def test_guests_see_their_own_figures_only(gateway: Gateway, house: House) -> None:
    gemma = await gateway.visitor(house.members["gemma"])
    assert (await gemma.see("/adoption")).status_code == 403
    assert (await gemma.see("/adoption/ladder")).status_code == 403
    mine = await gemma.see("/adoption/mine")
    assert mine.status_code == 200 and 'href="/adoption"' not in mine.text


async def test_only_the_board_is_led_to_what_a_figure_counts(gateway: Gateway, house: House) -> None:
    eskil = await gateway.visitor(house.members["eskil"])
    alva = await gateway.visitor(house.members["alva"])
    page = (await eskil.see("/adoption/posts-and-comments")).text
    assert "/adoption/posts-and-comments/events" not in page
    page = (await alva.see("/adoption/posts-and-comments")).text
    found = re.search(r'href="(/adoption/posts-and-comments/events\?[^"]+)"', page)
    assert found
    assert (await eskil.see(found[1])).status_code == 403
    seen = await alva.see(found[1])
    assert seen.status_code == 200 and "<tbody>" in seen.text


async def test_it_speaks_swedish(gateway: Gateway, house: House) -> None:
    saga = await gateway.visitor(house.members["saga"])
    seen = await saga.see("/adoption/monthly-contributors")
    assert "Bidragande per månad" in seen.text and "Så räknas det" in seen.text


async def test_every_text_of_every_definition_is_told_in_swedish(gateway: Gateway, house: House) -> None:
    """Of every version, and of every measure."""
    program = gateway.client(**house.members["saga"].bearer)
    listed = (await program.get("/api/v1/metrics")).json()["items"]
    assert len(listed) > 10
    texts = {text for each in listed for text in (each["title"], each["words"])}
    texts |= {measure["title"] for each in listed for measure in each["measures"]}
    assert [text for text in sorted(texts) if Locale("sv").gettext(text) == text] == []
    names = {measure["name"] for each in listed for measure in each["measures"]}
    assert {each for each in names if "_to_" in each} == {*_STEPS, "asked_to_acknowledge"}, "none is new"


def told_series(
    *groups_by_period: list[Json], listed: bool = False, complete: bool = True, open_: int = 0
) -> SeriesSaid:
    """Of the leaders of a company with the unit `sales`, month by month. Of the last `open_` groups are told
    later."""
    metric = {
        "name": "leaders-participation",
        "version": 1,
        "in_force": True,
        "title": "Leaders",
        "words": "",
        "formula": "",
        "source": "",
        "changed": "",
        "measures": [{"name": "taking_part_share", "title": "Share", "unit": "share"}],
    }
    periods = [
        {
            "period": f"2026-0{month}",
            "first": f"2026-0{month}-01",
            "last": f"2026-0{month}-28",
            "complete": month < len(groups_by_period) or complete,
            "tells_groups": month <= len(groups_by_period) - (open_ or int(not complete)),
            "people": 30,
            "values": {"taking_part_share": 0.5},
            "groups": groups,
        }
        for month, groups in enumerate(groups_by_period, 1)
    ]
    sales = {"group": "unit:sales", "name": "Sales", "path": ["sales"], "may_list": listed}
    said = {
        "metric": metric,
        "every": "month",
        "as_of": "2026-11-01",
        "complete_up_to": {"recorded_at": None, "behind": True},
        "may_list": False,
        "groups": [sales],
        "periods": periods,
    }
    return SeriesSaid.model_validate(said)


def can_read(of_all: float, shares: dict[str, float | None], texts: int = LEAST_TEXTS) -> SeriesSaid:
    """One month in which so many texts were published for each speaker."""

    def values(share: float | None) -> dict[str, float] | None:
        to_read = 1000 * texts
        return share and {"members": 1000, "to_read": to_read, "readable": share * to_read}  # type: ignore

    groups = [
        {"group": f"language:{code}", "hidden": share is None, "people": 30, "values": values(share)}
        for code, share in shares.items()
    ]
    series = told_series(groups)
    period = series.periods[0].model_copy(update={"values": values(of_all)})
    return series.model_copy(update={"periods": [period]})


def test_left_behind_is_who_can_read_far_less_than_all_of_us() -> None:
    shares = {"sv": 0.40, "de": 0.30, "pl": 0.27, "fr": None, "unknown": 0.01}
    assert [each.code for each in languages_behind(can_read(0.37, shares))] == ["pl"]
    assert [each.code for each in languages_behind(can_read(0.95, shares))] == ["pl", "de", "sv"]


def test_of_a_dozen_texts_no_language_is_left_behind() -> None:
    """Three months together are enough, though none of them is."""
    few = can_read(0.95, {"pl": 0.1}, texts=13)
    assert languages_behind(few) == []
    months = few.model_copy(update={"periods": few.periods * 3})
    assert [(each.code, round(each.value, 2)) for each in languages_behind(months)] == [("pl", 0.1)]


Ties = tuple[int, int] | None


def talk(*months: Mapping[str, Ties]) -> SeriesSaid:
    """Ties within and across of units, of which `north` and `south` are within `stock`, and `port` within
    `south`; None: hidden."""
    paths = {"stock": ["stock"], "north": ["stock", "north"], "south": ["stock", "south"]}
    paths["port"] = ["stock", "south", "port"]
    series = told_series(
        *[
            [
                {
                    "group": f"unit:{unit}",
                    "hidden": ties is None,
                    "people": 9,
                    "values": ties and {"within_units": ties[0], "across_units": ties[1]},
                }
                for unit, ties in month.items()
            ]
            for month in months
        ]
    )
    named = [
        {"group": f"unit:{unit}", "name": unit.title(), "path": path, "may_list": False}
        for unit, path in paths.items()
    ]
    return SeriesSaid.model_validate(series.model_dump() | {"groups": named})


def test_a_unit_is_not_left_behind_for_one_within_it() -> None:
    assert [each.name for each in units_behind(talk({"stock": (64, 14), "north": (40, 0)}))] == ["North"]
    both = units_behind(talk({"stock": (140, 4), "north": (40, 0)}))
    assert [(each.name, each.rest, each.people) for each in both] == [
        ("North", False, 9),
        ("Stock", True, None),
    ]
    assert round(both[1].value, 2) == -0.92, "of what is left"
    nested = {"stock": (90, 40), "south": (80, 0), "port": (60, 0)}
    assert [each.name for each in units_behind(talk(nested))] == ["Port", "South"], (
        "nothing is taken out twice"
    )


def test_few_ties_are_no_evidence_and_three_months_are_looked_at_together() -> None:
    assert units_behind(talk({"north": (15, 0)})) == []
    assert [each.code for each in units_behind(talk({"north": (16, 0)}))] == ["north"]
    assert units_behind(talk({"north": (45, 7)})) == [], "-0.73, of 52"
    assert [each.code for each in units_behind(talk(*[{"north": (6, 0)}] * 3))] == ["north"]
    assert units_behind(talk({"north": (90, 0)}, *[{"north": (2, 2)}] * 3)) == [], "what was is over"


def test_of_months_in_which_a_unit_is_hidden_nothing_is_taken_for_those_around_it() -> None:
    told_of = {"stock": (40, 4), "north": (40, 0)}
    hidden = {"stock": (40, 0), "north": None}
    assert [each.name for each in units_behind(talk(hidden, hidden, told_of))] == ["North"]
    assert units_behind(talk(told_of, told_of, hidden))[0].name == "Stock"


def test_what_is_hidden_is_not_called_nothing() -> None:
    """A unit of which one figure may be told and another may not."""
    series = told_series([{"group": "unit:small", "hidden": True, "people": None, "values": None}])
    assert told(series, "unit:small").hidden and not told(series, "unit:gone").hidden
    assert told(series).value == 0.5 and not told(series).hidden


@pytest.mark.parametrize("listed", [True, False])
def test_a_figure_of_one_unit_has_that_units_past_and_leads_its_leader_to_what_it_counts(
    listed: bool,
) -> None:
    hidden = {"group": "unit:sales", "hidden": True, "people": None, "values": None}
    open_ = {"group": "unit:sales", "hidden": False, "people": 9, "values": {"taking_part_share": 0.25}}
    locale = Locale("en")
    view = one(locale, told_series([hidden], [open_], listed=listed), "unit", "2026-11-01", {}, "sales")
    assert [row.values.get("taking_part_share") for row in view.rows] == [0.25, None]
    assert (view.figure.value, view.unit_name, view.groups, view.by) == (0.25, "Sales", [], "")
    page = render(view, shell("en"))
    assert ("events?period=2026-02&amp;group=unit%3Asales&amp;as_of=2026-11-01" in page) is listed
    assert "events?period=2026-01" not in page, "of so few nothing may be listed"
    assert "Leaders in Sales" in page and ">not told<" in page
    assert view.plot and view.plot.grid[-1][1] == 1.0, "a share has no line above the whole"
    with pytest.raises(NotFound):
        one(locale, told_series([hidden]), "", "", {}, "nowhere")


def test_a_unit_is_told_of_when_the_month_is_over_and_can_be_chosen_meanwhile() -> None:
    hidden = {"group": "unit:sales", "hidden": True, "people": None, "values": None}
    open_ = {"group": "unit:sales", "hidden": False, "people": 9, "values": {"taking_part_share": 0.25}}
    series = told_series([open_], [hidden], complete=False)
    page = render(one(Locale("en"), series, "", "", {}, "sales"), shell("en"))
    assert "told when it is over" in page and ">not told<" not in page
    assert [choice.id for choice in units(series)] == ["sales"]


def test_a_unit_is_told_of_the_last_month_whose_days_after_are_over_too() -> None:
    """Of how many an announcement reached groups are told a month later than of the rest."""
    hidden = {"group": "unit:sales", "hidden": True, "people": None, "values": None}
    open_ = {"group": "unit:sales", "hidden": False, "people": 9, "values": {"taking_part_share": 0.25}}
    series = told_series([open_], [open_], [hidden], open_=1)
    figure = told(series, "unit:sales")
    assert (figure.value, figure.first, figure.hidden) == (0.25, date(2026, 2, 1), False)
    page = render(one(Locale("en"), series, "", "", {}, "sales"), shell("en"))
    assert "told when the days after it that count are over" in page and ">not told<" not in page
    board = render(
        _board(_Found([told_series([open_], [open_], [open_]), series], series), "sales", "", {}), shell("en")
    )
    assert "February 2026: 25%" in board.replace("\xa0", "") and "Adoption in Sales, March 2026" in board


def test_what_is_not_told_of_groups_yet_is_not_called_too_few() -> None:
    hidden = {"group": "unit:sales", "hidden": True, "people": None, "values": None}
    series = told_series([hidden], [hidden], open_=2)
    figure, view = told(series, "unit:sales"), _board(_Found([series], series), "sales", "", {})
    assert (figure.hidden, figure.later, told(series).later, view.too_few) == (False, True, False, False)
    assert "It is told of groups when all the days that count for it are over." in render(view, shell("en"))
    groups = render(one(Locale("en"), series, "unit", "", {}), shell("en"))
    assert "told later" in groups and ">not told<" not in groups


@pytest.mark.parametrize(
    ("language", "week", "before"),
    [("en", "week 10, 2026", "20 more than three weeks before"), ("sv", "vecka 10, 2026", "tre veckor")],
)
def test_a_weekly_figure_is_told_in_weeks(language: str, week: str, before: str) -> None:
    weeks = range(7, 11)
    periods = [
        {
            "period": f"2026-W{number:02}",
            "first": date.fromisocalendar(2026, number, 1),
            "last": date.fromisocalendar(2026, number, 7),
            "complete": True,
            "tells_groups": True,
            "people": 90,
            "values": {"active_members": 20 if number < 10 else 40},
            "groups": [],
        }
        for number in weeks
    ]
    said = told_series([]).model_dump() | {"every": "week", "periods": periods}
    measure = {"name": "active_members", "title": "Active members", "unit": "people"}
    said["metric"] |= {"name": "weekly-active-members", "measures": [measure]}
    page = render(one(Locale(language), SeriesSaid.model_validate(said), "", "", {}), shell(language))
    assert page.count(week) == 2 and before in page
    assert "three months" not in page and "tre månader" not in page


@pytest.mark.parametrize(
    ("typed", "first", "last"),
    [
        ("2016-09", "2016-09-01", "2016-09-30"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2025-12", "2025-12-01", "2025-12-31"),
        ("2026-03-02", "2026-03-02", "2026-03-02"),
        *[(each, each, each) for each in ("", "2026-13", "0000-01", "9999-12-31x", "x")],
    ],
)
def test_a_month_in_an_address_is_a_day_in_its_field(typed: str, first: str, last: str) -> None:
    assert (as_day(typed), as_day(typed, end=True)) == (first, last)


def test_months_that_were_not_asked_for_are_compared_with_and_new_is_what_began_since() -> None:
    open_ = {"group": "unit:sales", "hidden": False, "people": 9, "values": {"taking_part_share": 0.25}}
    june = told_series(*[[open_]] * 6)
    late = june.model_copy(update={"periods": june.periods[-1:]})
    old = late.model_copy(update={"begins": date(2026, 3, 31)})
    assert to_compare_with(old) == date(2026, 3, 1), "begun in the month before which nothing is"
    assert to_compare_with(late.model_copy(update={"begins": date(2026, 4, 1)})) is None
    assert to_compare_with(june.model_copy(update={"begins": date(2020, 1, 1)})) is None, "it is there"
    march = june.periods[2].model_copy(update={"values": {"taking_part_share": 0.2}})
    earlier = june.model_copy(update={"periods": [march]})
    figure = told(old, "", earlier)
    assert (round(figure.change or 0, 2), figure.new, told(late).new) == (0.3, False, True)
    page = render(one(Locale("en"), old, "", "", {}, "", earlier), shell("en"))
    assert "30 points up in three months" in page and page.count('scope="row"') == 1
    assert "too new to compare" in render(one(Locale("en"), late, "", "", {}), shell("en"))
    hidden = march.model_copy(update={"groups": []})
    none = june.model_copy(update={"periods": [hidden]})
    page = render(one(Locale("en"), old, "", "", {}, "sales", none), shell("en"))
    assert "nothing to compare with three months before" in page and "too new" not in page


class Asked:
    """Stands for a visit: keeps what was asked, and answers the same."""

    def __init__(self, series: SeriesSaid) -> None:
        self.series = series
        self.queries: list[Json] = []

    async def ask(self, service: str, method: str, path: str, *, query: Json) -> "Asked":
        self.queries.append({"path": path, **query})
        return self

    def read(self, model: type) -> SeriesSaid:
        return self.series


async def test_a_page_asks_for_the_months_that_it_compares_with_and_looks_for_who_is_behind_in() -> None:
    june = told_series(*[[]] * 6).model_copy(update={"begins": date(2020, 1, 1)})
    visit = Asked(june)
    late = june.model_copy(update={"periods": june.periods[-1:]})
    await _earlier(cast(Any, visit), late, "2026-07-09", "sales")
    assert await _earlier(cast(Any, visit), june, "", "") is None, "it has it"
    march = {"from": "2026-03-01", "to": "2026-03-01", "as_of": "2026-07-09", "group": "unit:sales"}
    assert visit.queries == [{"path": "/figures/leaders-participation", **march}]
    visit.queries.clear()
    named = [a_figure(name).metric for name in ("language-share", "cross-unit-talk")]
    await _behind(cast(Any, visit), [june.model_copy(update={"metric": each}) for each in named], "")
    months = {"from": "2026-04-01", "to": "2026-06-28", "groups": "all"}
    assert visit.queries == [
        {"path": "/figures/language-share", "by": "language", **months},
        {"path": "/figures/cross-unit-talk", "by": "unit", **months},
    ]


def test_where_nobody_was_is_not_called_too_few() -> None:
    hidden = {"group": "unit:sales", "hidden": True, "people": None, "values": None}
    series = told_series([], [hidden], complete=False)
    view = _board(_Found([series], series), "sales", "", {})
    assert view.nobody and "Nobody is counted here for this time." in render(view, shell("en"))
    page = render(one(Locale("en"), series, "", "", {}, "sales"), shell("en"))
    assert ">nobody<" in page and "told when it is over" in page and ">not told<" not in page
    few = told_series([hidden])
    assert not _board(_Found([few], few), "sales", "", {}).nobody
    later = told_series([], [hidden], open_=2)
    assert not _board(_Found([later], later), "sales", "", {}).nobody, "that is told later, too"


@pytest.mark.parametrize(
    ("group", "heading"),
    [
        ("unit:sales", "What is counted in Sales, October 2026"),
        ("unit:unknown", "What is counted of those whose unit is not known, October 2026"),
        ("country:FI", "What is counted in Finland, October 2026"),
        ("country:unknown", "What is counted of those whose country is not known, October 2026"),
        ("language:sv", "What is counted of those who prefer Swedish, October 2026"),
        ("language:unknown", "What is counted of those whose language is not known, October 2026"),
    ],
)
def test_what_is_counted_says_of_whom_and_as_of_when(group: str, heading: str) -> None:
    name = "Sales" if group == "unit:sales" else None
    of = group_counted(Locale("en"), group, name)
    view = CountedView(samples_adoption._definition(""), "October 2026", [], "/", "", of, "5 October 2026")
    page = render(view, shell("en"))
    assert f"<h1>{heading}</h1>" in page and page.count(heading) == 2, "its title, too"
    assert "As it was on 5 October 2026." in page


def test_a_unit_of_which_nothing_may_be_told_is_there_and_told_to_be_not_told() -> None:
    hidden = {"group": "unit:sales", "hidden": True, "people": None, "values": None}
    found = _Found([told_series([hidden])], told_series([hidden]))
    view = _board(found, "sales", "", {})
    assert (view.too_few, view.unit_name) == (True, "Sales")
    page = render(view, shell("en"))
    assert (
        "Not told: it is small, or a smaller group could be worked out from it." in page
        and '<option value="sales" selected>' in page
    )
    with pytest.raises(NotFound):
        _board(found, "nowhere", "", {})


def test_units_of_which_nothing_may_be_told_can_be_chosen_and_say_so() -> None:
    hidden = {"group": "unit:sales", "hidden": True, "people": None, "values": None}
    series = told_series([hidden])
    assert [(choice.id, choice.hidden) for choice in units(series)] == [("sales", True)]
    board = _board(_Found([series, a_figure("cross-unit-talk")], series), "", "", {})
    assert "Sales (not told)</option>" in render(board, shell("en"))


def a_figure(name: str, **values: float) -> SeriesSaid:
    said = told_series([]).model_dump()
    said["metric"] |= {"name": name, "measures": [{"name": "ties", "title": "Ties", "unit": "acts"}]}
    said["periods"][0]["values"] = values
    return SeriesSaid.model_validate(said)


def test_talk_across_units_is_a_share_of_that_whose_units_are_known() -> None:
    figure = told(a_figure("cross-unit-talk", ties=225, across_units=114, within_units=108))
    assert figure.value == 114 / 222
    assert told(a_figure("cross-unit-talk", ties=3, across_units=0, within_units=0)).value is None


@pytest.mark.parametrize(
    ("name", "values", "sentence"),
    [
        (
            "posts-and-comments",
            {"posts": 1, "comments": 1, "reactions": 2},
            "1 post got 1 answer and 2 reactions.",
        ),
        (
            "ladder",
            {"commenter": 1, "author": 0, "starter": 0, "rose": 1, "fell": 2},
            "1 person answered, wrote or started something. 1 person took a step up",
        ),
    ],
)
def test_one_is_one(name: str, values: dict[str, float], sentence: str) -> None:
    assert sentence in render(one(Locale("en"), a_figure(name, **values), "", "", {}), shell("en"))


def test_a_table_leaves_out_the_single_steps_of_a_ladder_alone() -> None:
    def columns(name: str, *measures: str) -> list[str]:
        said = a_figure(name).model_dump()
        said["metric"]["measures"] = [{"name": each, "title": each, "unit": "acts"} for each in measures]
        return [each.name for each in one(Locale("en"), SeriesSaid.model_validate(said), "", "", {}).measures]

    reach = ("asked_to_acknowledge", "acknowledged", "acknowledged_share")
    assert sorted(columns("announcement-reach", *reach)) == sorted(reach)
    steps = ("reader_to_author", "not_signed_in_to_reader", "new_to_starter")
    assert columns("ladder", "reader", *steps) == ["say_something", "reader"]


def test_a_ladder_is_drawn_of_what_its_sentence_says() -> None:
    said = a_figure("ladder", reader=30, commenter=5, author=3, starter=1, rose=2, fell=1)
    view = one(Locale("en"), said, "", "", {})
    assert (view.figure.value, view.main.name) == (9, "say_something")
    page = render(view, shell("en"))
    assert "9 people answered, wrote or started something. 2 people took a step up" in page
    assert "Commenters, authors and starters over time" in page


def test_a_month_that_can_still_change_is_marked_in_the_table_and_in_the_plot() -> None:
    open_ = {"group": "unit:sales", "hidden": False, "people": 9, "values": {"taking_part_share": 0.25}}
    series = told_series([open_], [open_], open_=1)
    page = render(one(Locale("en"), series, "", "", {}), shell("en"))
    assert page.count("can still change") == 1 and "growing" not in page
    under_way = told_series([open_], [open_], complete=False)
    page = render(one(Locale("en"), under_way, "", "", {}), shell("en"))
    assert 'class="p1 growing"' in page and "The pale column can still grow" in page


def test_the_days_that_were_asked_for_stay_on_the_way_to_what_is_counted_and_in_the_file() -> None:
    open_ = {"group": "unit:sales", "hidden": False, "people": 9, "values": {"taking_part_share": 0.25}}
    view = one(Locale("en"), told_series([open_], listed=True), "", "", {}, "sales")
    page = render(replace(view, since="2025-01-01", until="2026-03-01"), shell("en"))
    links = re.findall(r'href="([^"]*)"', page)
    for part in ("/events?", "format=csv"):
        (link,) = {each for each in links if part in each}
        assert "from=2025-01-01" in link and "to=2026-03-01" in link, link
    assert 'name="from" type="date" value="2025-01-01"' in page
