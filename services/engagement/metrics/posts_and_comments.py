"""How much was said and written?"""

from collections.abc import Iterator

from services.engagement.metrics.definition import CONTRIBUTIONS, Definition, Measure, Row, Window
from services.engagement.projections.facts import Kind

_COLUMN: dict[str, str] = {
    Kind.POST.value: "posts",
    Kind.ANNOUNCEMENT.value: "announcements",
    Kind.COMMENT.value: "comments",
    Kind.REACTION.value: "reactions",
    Kind.PAGE_STARTED.value: "pages_started",
    Kind.PAGE_REVISED.value: "page_changes",
    Kind.PAGE_MOVED.value: "page_changes",
    Kind.PAGE_DELETED.value: "page_changes",
    Kind.PAGE_RESTORED.value: "page_changes",
}


def _rows(window: Window) -> Iterator[Row]:
    """Each act where its author was when they did it; those who did nothing where they were last."""
    for member_id, at in window.members().items():
        yield Row(member_id, at, {})
    for member_id, facts in window.acts.items():
        for fact in facts:
            if (column := _COLUMN.get(fact.kind)) is not None:
                yield Row(member_id, fact.at, {column: 1})


posts_and_comments = Definition(
    name="posts-and-comments",
    version=1,
    title="Posts and comments",
    words=(
        "How many posts, announcements, comments, reactions, new pages and changes of pages there "
        "were. What was "
        "deleted later was still written, and stays counted. A reaction that was taken back and given again "
        "counts each time."
    ),
    formula=(
        "sums of acts; an act counts for the unit, country and language that its author had at that moment"
    ),
    source="The events themselves",
    kinds=CONTRIBUTIONS | {Kind.REACTION},
    measures=(
        Measure("posts", "Posts"),
        Measure("announcements", "Announcements"),
        Measure("comments", "Comments"),
        Measure("reactions", "Reactions"),
        Measure("pages_started", "New pages"),
        Measure("page_changes", "Changes of pages"),
    ),
    rows=_rows,
)
