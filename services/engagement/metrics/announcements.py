"""Whom did announcements reach, and who has acknowledged them?"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from services.engagement.metrics.definition import (
    Asking,
    Counts,
    Definition,
    Measure,
    Privacy,
    Row,
    Values,
    Window,
    share,
)
from services.engagement.metrics.privacy import FLOOR
from services.engagement.projections.facts import Fact, Kind
from services.engagement.projections.items import ItemView

#: What comes later than this after an announcement does not count any more, so that a month's figure stands.
COUNTED_FOR = timedelta(days=30)
_SIGNS = {Kind.ACKNOWLEDGEMENT, Kind.OPENED, Kind.READ, Kind.COMMENT, Kind.REACTION}


def _rows(window: Window) -> Iterator[Row]:
    signs = _signs(window)
    for member_id, facts in window.acts.items():
        for fact in facts:
            if fact.kind == Kind.ANNOUNCEMENT and (item := window.items.get(fact.ref)) is not None:
                others = _others(window, item, fact.at)
                if len(others) < FLOOR:
                    continue
                # its author is not one of those whom it was to reach
                yield Row(member_id, fact.at, {"announcements": 1}, about=False)
                for other in others:
                    yield _asked(other, fact, item, signs.get((other, item.item_id), ()))


def _others(window: Window, item: ItemView, at: int) -> list[str]:
    """Those in the audience at the moment of publication, but for the author."""
    addressed = window.people.addressed(item.audience, item.classification, at)
    return [member_id for member_id in addressed if member_id != item.author_id]


def _asked(member_id: str, fact: Fact, item: ItemView, signs: Sequence[Fact]) -> Row:
    """Where they were then."""
    last = fact.at + int(COUNTED_FOR.total_seconds())
    seen = [sign for sign in signs if fact.at <= sign.at < last]
    acknowledged = int(any(sign.kind == Kind.ACKNOWLEDGEMENT for sign in seen))
    counts = {"asked": 1, "reached": int(bool(seen))}
    if item.must_acknowledge:
        counts |= {"asked_to_acknowledge": 1, "acknowledged": acknowledged}
    return Row(member_id, fact.at, counts)


def _signs(window: Window) -> dict[tuple[str, str], list[Fact]]:
    """By member and announcement: what shows that it came to them."""
    announced = {item_id for item_id, item in window.items.items() if item.announcement}
    # as it is called where it was opened, and where it was reacted to or answered
    known = {name: item_id for item_id in announced for name in (item_id, f"post:{item_id}")}
    found: dict[tuple[str, str], list[Fact]] = {}
    for acts in (window.acts, window.after) if known else ():
        for member_id, facts in acts.items():
            for fact in facts:
                if (item_id := known.get(fact.ref)) is not None and fact.kind in _SIGNS:
                    found.setdefault((member_id, item_id), []).append(fact)
    return found


def _counts(window: Window) -> Asking:
    """The announcements that it tells of; who acknowledged one is in its report."""

    def counts(member_id: str, fact: Fact) -> bool:
        item = window.items.get(fact.ref) if fact.kind == Kind.ANNOUNCEMENT else None
        return item is not None and len(_others(window, item, fact.at)) >= FLOOR

    return counts


def _derive(counts: Counts) -> Values:
    return {
        "reach": share(counts.get("reached", 0), counts.get("asked", 0)),
        "acknowledged_share": share(counts.get("acknowledged", 0), counts.get("asked_to_acknowledge", 0)),
    }


announcement_reach = Definition(
    name="announcement-reach",
    version=2,
    title="Reach and acknowledgement of announcements",
    words=(
        "Of those in an announcement's audience when it was published, how many it reached within "
        "30 days: they "
        "acknowledged it, reacted to it, answered it, or opened it, where they let that be counted. "
        "And how many "
        "acknowledged those that ask for it. The author is not asked. Announcements to fewer than five "
        "others are left out: how many of so few opened one is theirs to say."
    ),
    formula=(
        "reach = reached / asked; acknowledged share = acknowledged / asked to acknowledge, over "
        "all announcements"
    ),
    source="The audience at publication, as in the feed's report",
    kinds=frozenset({Kind.ANNOUNCEMENT, *_SIGNS}),
    measures=(
        Measure("announcements", "Announcements"),
        Measure("asked", "Times somebody was addressed", "acts"),
        Measure("reached", "Times it reached them", "acts"),
        Measure("asked_to_acknowledge", "Times an acknowledgement was asked for", "acts"),
        Measure("acknowledged", "Times it was given", "acts"),
    ),
    derived=(
        Measure("reach", "Reach", "share"),
        Measure("acknowledged_share", "Share acknowledged", "share"),
    ),
    derive=_derive,
    rows=_rows,
    counts=_counts,
    privacy=Privacy.READING,
    looks_ahead=COUNTED_FOR,
    changed="Version 2 leaves out announcements to fewer than five people; version 1 counted them.",
    asks_items=frozenset({Kind.ANNOUNCEMENT}),
)
