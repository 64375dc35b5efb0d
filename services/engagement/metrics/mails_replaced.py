"""How many mails were not sent, and how much time that left?"""

from collections.abc import Iterator
from dataclasses import replace

from services.engagement.metrics.definition import Asking, Counts, Definition, Measure, Row, Values, Window
from services.engagement.projections.facts import Fact, Kind

#: Seconds that one mail takes of whoever gets it. An assumption: changing it is a new version.
SECONDS_A_MAIL = 64
_TO_ALL, _TO_GROUPS = "announced", "in_groups"


def _rows(window: Window) -> Iterator[Row]:
    """Each delivery where its reader was at that moment."""
    for member_id, facts in window.acts.items():
        for fact in facts:
            item = window.items.get(fact.ref) if fact.kind in (Kind.ANNOUNCEMENT, Kind.POST) else None
            if item is None or not (item.announcement or item.group_id):
                continue
            written = {"announcements" if item.announcement else "group_posts": 1}
            # its author is not one of those whom it went to
            yield Row(member_id, fact.at, written, about=False)
            audience = item.audience if item.announcement else (f"group:{item.group_id}",)
            to = {"deliveries": 1, _TO_ALL if item.announcement else _TO_GROUPS: 1}
            for reader in window.people.addressed(audience, item.classification, fact.at):
                if reader != item.author_id:
                    yield Row(reader, fact.at, to)


def _counts(window: Window) -> Asking:
    def counts(member_id: str, fact: Fact) -> bool:
        item = window.items.get(fact.ref)
        return item is not None and (item.announcement or item.group_id is not None)

    return counts


def _derive(counts: Counts) -> Values:
    return {"hours": round(counts.get("deliveries", 0) * SECONDS_A_MAIL / 3_600, 2)}


together = Definition(
    name="mails-replaced",
    version=1,
    in_force=False,
    title="Mails replaced",
    words=(
        "Each announcement stands for one mail to everybody in its audience when it was published, "
        "each post in a "
        "group for one mail to every member of the group at that moment; not to the author. Assumed, not "
        "measured: that it would have been sent by mail, that each mail takes its reader 64 "
        "seconds, and that "
        "reading it here takes no longer than it would have taken there."
    ),
    formula="hours = deliveries x 64 s / 3600",
    source="64 seconds: Jackson, Dawson and Wilson, The Cost of Email Interruption (2001)",
    kinds=frozenset({Kind.ANNOUNCEMENT, Kind.POST}),
    measures=(
        Measure("announcements", "Announcements"),
        Measure("group_posts", "Posts in groups"),
        Measure("deliveries", "Mails not sent"),
    ),
    derived=(Measure("hours", "Hours that the mails would have taken", "hours"),),
    derive=_derive,
    rows=_rows,
    counts=_counts,
    asks_items=frozenset({Kind.ANNOUNCEMENT, Kind.POST}),
)

mails_replaced = replace(
    together,
    version=2,
    in_force=True,
    measures=(
        *together.measures,
        Measure(_TO_ALL, "Of these in place of mails to all, by announcements"),
        Measure(_TO_GROUPS, "Of these in place of mails to lists, by posts in groups"),
    ),
    changed=(
        "Version 2 tells apart what announcements and what posts in groups stood for; the sums are the same."
    ),
)
