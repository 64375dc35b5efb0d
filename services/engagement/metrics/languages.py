"""Who writes, and who can read what is written?"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from services.engagement.metrics.definition import Counts, Definition, Measure, Row, Values, Window, share
from services.engagement.metrics.published import Published
from services.engagement.projections.facts import Kind

#: What is written in a language that its event tells.
_WRITTEN = frozenset({Kind.POST, Kind.ANNOUNCEMENT, Kind.COMMENT, Kind.PAGE_STARTED})
#: What all should be able to read.
_READABLE = frozenset({Kind.POST, Kind.ANNOUNCEMENT, Kind.PAGE_STARTED})


def _rows(window: Window) -> Iterator[Row]:
    yield from _written(window)
    acts = (fact for facts in window.acts.values() for fact in facts if fact.kind in _READABLE)
    known = (window.items.get(fact.ref) for fact in acts)
    published = Published((item for item in known if item is not None), window.start, window.end)
    yield from _read(window, lambda member_id: published.to(member_id, window.people))


def _rows_of_all(window: Window) -> Iterator[Row]:
    """Version 1: as if all of it were for everybody."""
    yield from _written(window)
    acts = (fact for facts in window.acts.values() for fact in facts if fact.kind in _READABLE)
    published = Counter(fact.language for fact in acts)
    yield from _read(window, lambda member_id: published)


def _written(window: Window) -> Iterator[Row]:
    written: Counter[tuple[str, str, int]] = Counter()
    for member_id, facts in window.acts.items():
        for fact in facts:
            if fact.kind in _WRITTEN:
                written[member_id, fact.language, fact.at] += 1
    for (member_id, language, at), number in written.items():
        own = number * (language == window.people.at(member_id, at).language)
        yield Row(member_id, at, {"written": number, "written_in_own": own})


def _read(window: Window, published: Callable[[str], Mapping[str, int]]) -> Iterator[Row]:
    """Of what was published for a member, by language, what they can read."""
    for member_id, at in window.members().items():
        state, theirs = window.people.at(member_id, at), published(member_id)
        readable = sum(theirs.get(language, 0) for language in {state.language, *state.reads})
        yield Row(member_id, at, {"members": 1, "to_read": sum(theirs.values()), "readable": readable})


def _derive(counts: Counts) -> Values:
    return {
        "readable_share": share(counts.get("readable", 0), counts.get("to_read", 0)),
        "own_language_share": share(counts.get("written_in_own", 0), counts.get("written", 0)),
    }


by_all = Definition(
    name="language-share",
    version=1,
    in_force=False,
    title="Contribution and readable share by language",
    words=(
        "What members write, and how much of what was published within the period they could read if all "
        "of it were for everybody: posts, announcements and new pages in a language that they prefer or say "
        "they read. By language: of those who prefer it. Later translations are not counted."
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
    rows=_rows_of_all,
)

language_share = replace(
    by_all,
    version=2,
    in_force=True,
    words=(
        "What members write, and how much of what was published for them within the period they can read: "
        "posts, announcements and new pages in a language that they prefer or say they read. For them is "
        "what has them in its audience, and trusts them with it, when it is published. By language: of those "
        "who prefer it. Later translations are not counted."
    ),
    measures=tuple(
        Measure("to_read", "Texts published, times those they were for") if each.name == "to_read" else each
        for each in by_all.measures
    ),
    rows=_rows,
    asks_items=_READABLE,
    changed=(
        "Version 2 counts what was published for those in its audience; version 1 counted it for everybody, "
        "such as what was said in closed groups of others."
    ),
)
