"""Nine years of a real intranet: monthly contributors are what a direct count of the history gives."""

import json
import lzma
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contracts.wiki import PageDeleted, PageMoved, PageRevised, PageStarted
from services.engagement.metrics.definition import By
from services.engagement.tests.history import History
from shared.kernel.audience import Classification
from shared.kernel.events import Event

HANDBOOK = Path(__file__).parents[2] / "wiki" / "data" / "handbook-history.jsonl.xz"
RECORDED = datetime(2026, 11, 1, tzinfo=UTC)


def lines() -> Iterator[dict[str, Any]]:
    with lzma.open(HANDBOOK, "rt", encoding="utf-8") as file:
        yield from (json.loads(line) for line in file)


def counted_directly() -> dict[str, int]:
    """Distinct authors of any put, move or delete, by UTC month."""
    authors: dict[str, set[str]] = {}
    for line in lines():
        month = datetime.fromisoformat(line["at"]).astimezone(UTC).strftime("%Y-%m")
        authors.setdefault(month, set()).add(line["author"])
    return {month: len(found) for month, found in sorted(authors.items())}


def event_of(line: dict[str, Any], new: bool) -> Event:
    page: dict[str, Any] = {"page_id": "w1", "space_id": "s1", "revision": 2, "note": ""}
    match line["op"]:
        case "move":
            return PageMoved(
                **page, body_revision=1, from_path=line["from"], to_path=line["path"], title="A page"
            )
        case "delete":
            return PageDeleted(**page, body_revision=1, path=line["path"])
    if not new:
        return PageRevised(**page, title="A page", body="")
    return PageStarted(
        **page,
        path=line["path"],
        title="A page",
        body="",
        language="en",
        owner_id="oda",
        audience=("staff",),
        classification=Classification.INTERNAL,
    )


@pytest.fixture(scope="module")
def handbook() -> History:
    """As the wiki tells of its import: with the authors and times of then, recorded now."""
    history, seen = History(), set[str]()
    for number, line in enumerate(lines()):
        event = event_of(line, line["path"] not in seen)
        seen.add(line["path"])
        when = datetime.fromisoformat(line["at"])
        history.tell(f"page-{number}", event, when, known=RECORDED, by=line["author"], imported=True)
    return history


def test_monthly_contributors_equal_a_direct_count_for_every_month(handbook: History) -> None:
    direct = counted_directly()
    assert len(direct) > 90 and sum(direct.values()) > 1_000
    found = {
        month: figure.company["contributors"]
        for month, figure in handbook.figures("monthly-contributors", [*direct]).items()
    }
    assert found == direct


def test_the_floor_is_on_groups_and_never_on_the_company(handbook: History) -> None:
    direct = counted_directly()
    fewest = min(direct, key=lambda month: direct[month])
    assert direct[fewest] < 5
    told = handbook.figures("monthly-contributors", [fewest], by=By.UNIT)[fewest]
    assert told.company["contributors"] == direct[fewest]
    assert told.groups == {"unknown": None}


def test_the_past_was_not_known_before_it_was_imported(handbook: History) -> None:
    before = RECORDED.date().replace(month=10, day=31)
    told = handbook.figures("monthly-contributors", ["2018-01"], known_on=before)["2018-01"]
    assert told.company["contributors"] == 0
