"""Who writes, and who can read what is written?"""

from collections import Counter
from collections.abc import Iterator

from services.engagement.metrics.definition import Counts, Definition, Measure, Row, Values, Window, share
from services.engagement.projections.facts import Kind

#: What is written in a language that its event tells.
_WRITTEN = frozenset({Kind.POST, Kind.ANNOUNCEMENT, Kind.COMMENT, Kind.PAGE_STARTED})
#: What all should be able to read.
_READABLE = frozenset({Kind.POST, Kind.ANNOUNCEMENT, Kind.PAGE_STARTED})


def _rows(window: Window) -> Iterator[Row]:
    members = window.members()
    published: Counter[str] = Counter()
    written: Counter[tuple[str, str, int]] = Counter()
    for member_id, facts in window.acts.items():
        for fact in facts:
            if fact.kind in _READABLE:
                published[fact.language] += 1
            if fact.kind in _WRITTEN:
                written[member_id, fact.language, fact.at] += 1
    total = sum(published.values())
    for (member_id, language, at), number in written.items():
        own = number * (language == window.people.at(member_id, at).language)
        yield Row(member_id, at, {"written": number, "written_in_own": own})
    for member_id, at in members.items():
        state = window.people.at(member_id, at)
        readable = sum(published[language] for language in {state.language, *state.reads})
        yield Row(member_id, at, {"members": 1, "to_read": total, "readable": readable})


def _derive(counts: Counts) -> Values:
    return {
        "readable_share": share(counts.get("readable", 0), counts.get("to_read", 0)),
        "own_language_share": share(counts.get("written_in_own", 0), counts.get("written", 0)),
    }


language_share = Definition(
    name="language-share",
    version=1,
    title="Contribution and readable share by language",
    words=(
        "What members write, and how much of what was published within the period they can read: posts, "
        "announcements and new pages in a language that they prefer or say they read. By language: "
        "of those who "
        "prefer it. Later translations are not counted."
    ),
    formula=(
        "readable share = readable / to read, summed over members; a language's contribution = its members' "
        "written / all written"
    ),
    source="Language equity, as in the product's description",
    kinds=_WRITTEN,
    measures=(
        Measure("members", "Members in the period", "people"),
        Measure("written", "Texts written"),
        Measure("written_in_own", "Of these in the author's preferred language"),
        Measure("to_read", "Texts published, times members"),
        Measure("readable", "Of these in a language that the member reads"),
    ),
    derived=(
        Measure("readable_share", "Readable share", "share"),
        Measure("own_language_share", "Written in the author's preferred language", "share"),
    ),
    derive=_derive,
    rows=_rows,
)
