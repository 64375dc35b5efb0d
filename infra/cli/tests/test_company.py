"""A small company, through the gateway into real services: whole, once, resumed, equal to its manifest."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from infra.cli import company as loading
from infra.cli.company import Brought, Plan, bring
from infra.cli.faults import Fault
from infra.cli.home import Home, HomeSettings
from infra.cli.platform import Platform, Refusal
from infra.demo.company import Company, company
from infra.demo.shapes import SignIn
from services.gateway import assets
from services.gateway.tests.house import SERVICES, House, opened

pytestmark = pytest.mark.timeout(600)

SIZE, UNTIL = 60, datetime(2025, 8, 1, tzinfo=UTC)
#: Nothing is told of fewer people.
FLOOR = 5


@pytest.fixture(scope="module")
def house(
    mongo_uri: str, kafka_bootstrap: str, opensearch_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    assets.build()
    home = tmp_path_factory.mktemp("company")
    with opened(mongo_uri, kafka_bootstrap, opensearch_url, home, SERVICES) as house:
        yield house


@pytest.fixture(scope="module")
def alva(house: House) -> Iterator[Platform]:
    with Platform(house.settings.gateway_url, house.members["alva"].token) as platform:
        yield platform


@pytest.fixture(scope="module")
def small(house: House) -> Company:
    said = json.loads((house.settings.folder / "secrets" / "demo.json").read_text())
    return company(11, UNTIL, [SignIn.of(one) for one in said["members"]], SIZE)


def outcomes(brought: Brought) -> dict[str, int]:
    rooms = brought.rooms.values()
    return {
        "done": sum(report.done for report in rooms),
        "already": sum(report.already for report in rooms),
        "not_kept": sum(len(report.not_kept) for report in rooms),
    }


@pytest.fixture(scope="module")
def brought(alva: Platform, small: Company) -> Brought:
    """Broken off in the middle of the talk, and brought in again."""

    class BrokenOff(Exception):
        pass

    def breaks(through: int, of: int) -> None:
        if through > of * 2 // 3:
            raise BrokenOff

    with pytest.raises(BrokenOff):
        bring(alva, small, breaks)
    return bring(alva, small, lambda through, of: None)


def test_every_command_is_kept_also_after_a_break(brought: Brought, small: Company) -> None:
    lost = [(room, problem) for room, report in brought.rooms.items() for problem in report.not_kept]
    assert lost == []
    found = outcomes(brought)
    assert found["done"] + found["already"] == small.manifest["counts"]["commands"]
    assert found["done"] and found["already"]
    assert brought.summary()[0].endswith("0 not")


def test_a_second_run_changes_nothing(brought: Brought, alva: Platform, small: Company) -> None:
    began = time.monotonic()
    again = outcomes(bring(alva, small, lambda through, of: None))
    assert again == {"done": 0, "already": small.manifest["counts"]["commands"], "not_kept": 0}
    print(f"again in {time.monotonic() - began:.1f} s")


def test_people_and_groups_are_those_of_the_manifest(
    brought: Brought, alva: Platform, small: Company
) -> None:
    counts = small.manifest["counts"]
    people = all_of(alva, "/members/directory")
    assert len(people) == counts["members"]
    assert {one["member_id"] for one in people if one["synthetic"]} == {one["member_id"] for one in people}
    assert len(all_of(alva, "/units")) == counts["units"]
    inside = 0
    for command in small.commands["groups"]:
        if command["op"] == "start":
            inside += seen_by(alva, small, command["group_id"])
    assert inside == counts["memberships"]


def seen_by(alva: Platform, small: Company, group_id: str) -> int:
    """Members of a group, as told to somebody who may see it: an admin sees no closed one from outside."""
    inside = {c["by"] for c in small.commands["groups"] if c["group_id"] == group_id and c["op"] != "invite"}
    known = alva.ask("GET", f"/groups/{group_id}") if _open(small, group_id) else None
    return int(known["members"]) if known else len(inside)


def _open(small: Company, group_id: str) -> bool:
    return any(
        c["openness"] == "open"
        for c in small.commands["groups"]
        if c["op"] == "start" and c["group_id"] == group_id
    )


def test_what_was_said_is_what_the_manifest_counts(brought: Brought, alva: Platform, small: Company) -> None:
    """Of what an administrator may see: what all staff may."""
    mine = {c["post_id"] for c in small.commands["feed"] if c["op"] == "post" and _to_all(small, c)}
    posts = {one["id"]: one for one in all_of(alva, "/feed") if one["id"] in mine}
    assert set(posts) == mine
    for op, name in (("comment", "comments"), ("react", "reactions")):
        said = [
            c for c in small.commands["feed"] if c["op"] == op and c["post_id"] in mine and _of_post(op, c)
        ]
        shown = [one[name] if name == "comments" else sum(one[name].values()) for one in posts.values()]
        assert sum(shown) == len(said), name
    languages = {c["post_id"]: c["language"] for c in small.commands["feed"] if c["op"] == "post"}
    assert {one["id"]: one["language"] for one in posts.values()} == {id_: languages[id_] for id_ in mine}
    times = {c["post_id"]: c["at"] for c in small.commands["feed"] if c["op"] == "post"}
    assert all(one["published_at"] == times[one["id"]] for one in posts.values())


def _to_all(small: Company, post: dict[str, Any]) -> bool:
    if "group_id" in post:
        return _open(small, post["group_id"])
    return bool(post.get("audience") == ["staff"])


def _of_post(op: str, command: dict[str, Any]) -> bool:
    return op == "comment" or "comment_id" not in command


def test_who_confirmed_an_announcement_is_who_should(brought: Brought, house: House, small: Company) -> None:
    """Editors see the report of every announcement that they see."""
    told = [one for one in small.manifest["announcements"] if one["audience"] == "staff"]
    assert told
    with Platform(house.settings.gateway_url, house.members["eskil"].token) as eskil:
        for one in told:
            report = eskil.ask("GET", f"/posts/{one['post_id']}/acknowledgements", limit=1)
            counts = report["counts"]
            assert (counts["people"], counts["acknowledged"]) == (one["people"], one["acknowledged"])
            assert {tag: share["acknowledged"] for tag, share in report["languages"].items()} == {
                tag: share["acknowledged"] for tag, share in one["languages"].items()
            }


def test_the_metrics_find_what_was_planted(brought: Brought, alva: Platform, small: Company) -> None:
    """Month by month as the manifest counts, which knows the commands alone. The island shows where it is
    large enough to be told of."""
    months = {one["month"]: one for one in small.manifest["months"]}
    wanted = {name: counted(one) for name, one in months.items()}
    deadline = time.monotonic() + 60
    found: dict[str, dict[str, Any]] = {}
    while found != wanted and time.monotonic() < deadline:
        found = {name: {} for name in months}
        for metric in ("monthly-contributors", "posts-and-comments"):
            told = alva.ask("GET", f"/metrics/{metric}", **{"from": min(months), "to": max(months)})
            for period in told["periods"]:
                found[period["period"]] |= period["values"]
        found = {name: measured(values) for name, values in found.items()}
    assert found == wanted
    talk = alva.ask("GET", "/metrics/cross-unit-talk", by="unit", **{"from": min(months), "to": max(months)})
    island = small.manifest["island"]
    of_it = [
        group
        for period in talk["periods"]
        for group in period["groups"]
        if group["group"] == f"unit:{island['unit']}"
    ]
    assert of_it
    if island["members"] < FLOOR:
        assert all(group["hidden"] and group["values"] is None for group in of_it)
    else:
        told = [group["values"] for group in of_it if group["values"]]
        assert sum(values["within_units"] for values in told) > 0
        assert sum(values["across_units"] for values in told) == 0
    assert sum(period["values"]["across_units"] for period in talk["periods"]) > 0


def test_the_metrics_find_the_mails_that_were_not_sent(
    brought: Brought, alva: Platform, small: Company
) -> None:
    """None while the list was open, and since then each announcement to all whom it asked."""
    wanted = Counter[str]()
    for one in small.manifest["announcements"]:
        wanted[one["published_at"][:7]] += one["people"]
    months = [one["month"] for one in small.manifest["months"]]
    found: dict[str, int] = {}
    deadline = time.monotonic() + 60
    while found != wanted and time.monotonic() < deadline:
        told = alva.ask("GET", "/metrics/mails-replaced", **{"from": min(months), "to": max(months)})
        counts = {each["period"]: each["values"]["announced"] for each in told["periods"]}
        found = {month: number for month, number in counts.items() if number}
    assert found == wanted
    mails = small.manifest["mails"]
    assert sum(found.values()) == mails["deliveries_avoided"] > 0
    assert min(found) >= mails["replaced_on"][:7]


def counted(month: dict[str, Any]) -> dict[str, int]:
    return {name: month[name] for name in ("contributors", "posts", "comments", "reactions", "page_changes")}


def measured(values: dict[str, Any]) -> dict[str, int]:
    return {
        "contributors": values["contributors"],
        "posts": values["posts"] + values["announcements"],
        "comments": values["comments"],
        "reactions": values["reactions"],
        "page_changes": values["pages_started"] + values["page_changes"],
    }


def test_pages_lie_in_the_spaces_of_their_languages(brought: Brought, alva: Platform, small: Company) -> None:
    opened = {c["space_id"]: c for c in small.commands["spaces"]}
    started = [c for c in small.commands["wiki"] if c["op"] == "start"]
    for space_id in {c["space_id"] for c in started}:
        there = alva.ask("GET", "/wiki/pages", space=space_id, limit=100)["items"]
        assert len(there) == sum(c["space_id"] == space_id for c in started)
        assert {page["language"] for page in there} == {opened[space_id]["language"]}


def test_one_country_lets_coaches_see_names_and_no_other_does(
    brought: Brought, house: House, small: Company
) -> None:
    said = {"purpose": "help-to-start", "note": "Who could use a hand?"}
    with Platform(house.settings.gateway_url, house.members["claire"].token) as claire:
        policies = claire.ask("GET", "/coaching/policies")["items"]
        named = [one["country"] for one in policies if one["naming"] == "names-to-coaches"]
        assert named == small.manifest["names_to_coaches"] and len(policies) > len(named)
        made = claire.ask("POST", "/coaching/lists", {"country": named[0], **said})
        told = claire.ask("GET", f"/coaching/lists/{made['id']}")["items"]
        there = {
            c["member_id"]
            for c in small.commands["identity"]
            if c["op"] == "place" and c["country"] == named[0]
        }
        assert there and {one["member_id"] for one in told} == there, "its history ended a year ago"
        for one in policies:
            if one["country"] not in named:
                with pytest.raises(Refusal) as refusal:
                    claire.ask("POST", "/coaching/lists", {"country": one["country"], **said})
                assert refusal.value.code == "names-not-allowed-here"


def test_guests_see_their_group_and_no_more(brought: Brought, house: House, small: Company) -> None:
    with Platform(house.settings.gateway_url, house.members["gemma"].token) as gemma:
        groups = gemma.ask("GET", "/groups")["items"]
        assert {group["id"] for group in groups} == {small.manifest["stops"]["suppliers"]}
        assert {one["group_id"] for one in all_of(gemma, "/feed")} <= {small.manifest["stops"]["suppliers"]}


def test_the_tour_leads_to_every_place_as_each_role(brought: Brought, house: House, small: Company) -> None:
    loading.write(house.settings.folder / "demo" / "manifest.json", json.dumps(small.manifest))
    stops = small.manifest["stops"]
    for name in ("saga", "eskil", "gemma"):
        with Platform(house.settings.gateway_url, house.members[name].token) as somebody:
            places = [f"/groups/{stops['suppliers']}"]
            if name != "gemma":
                places = [f"/posts/{stops['film']}", f"/groups/{stops['friday']}", f"/groups/{stops['list']}"]
                places += [f"/posts/{stops['announcement']}", f"/wiki/pages/{stops['page']}"]
            for place in places:
                assert somebody.ask("GET", place)["id"]


def all_of(platform: Platform, path: str) -> list[dict[str, Any]]:
    """Every item of a list."""
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = platform.ask("GET", path, limit=100, **({"cursor": cursor} if cursor else {}))
        found += page["items"]
        cursor = page["next"]
    return found


def test_another_company_is_refused_where_one_is(tmp_path: Path) -> None:
    home = Home.of(HomeSettings(home=tmp_path))
    Plan(seed=7, until=UNTIL, size=60).keep(home)
    console = Console(quiet=True)
    home.secrets.mkdir()
    (home.secrets / "demo.json").write_text('{"members": []}')
    with pytest.raises(Fault, match="Nothing runs"):
        loading.run(home, console, 7, None, 60)
    assert Plan.of(home) == Plan(seed=7, until=UNTIL, size=60)
    (tmp_path / "demo" / "company.json").write_text("{}")
    with pytest.raises(Fault, match="cannot be read"):
        Plan.of(home)
