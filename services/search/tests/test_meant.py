"""What may have been meant is extra: an engine without time is asked once, and the search answers."""

from collections.abc import Sequence
from typing import Any, cast

from services.search.finding import Finding
from services.search.index import OpenSearchIndex
from services.search.queries import Filters
from services.search.words import Question
from shared.kernel.audience import Classification, Reader
from shared.kernel.errors import Unavailable

READER = Reader("ann", frozenset({"staff"}), Classification.INTERNAL)


class Overloaded:
    def __init__(self) -> None:
        self.asked = 0

    async def fields(self) -> tuple[str, ...]:
        return ("en",)

    async def ask_all(self, questions: Sequence[Any]) -> list[Any]:
        self.asked += 1
        raise Unavailable("search-away", "Search is away.")


async def test_an_engine_that_has_no_time_is_asked_once_and_the_search_answers() -> None:
    index = Overloaded()
    finding = Finding(cast(OpenSearchIndex, index))
    assert await finding.meant(READER, Question(words=("semster",)), Filters()) is None
    assert index.asked == 1
