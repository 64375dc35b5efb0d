"""Searching over HTTP on real engines."""

import pytest

from services.search.tests.world import House

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_what_is_said_is_found_by_its_words_with_them_marked(house: House) -> None:
    said = await house.world.post("The quarterly budget was approved by the <b>board</b> in Uppsala.")
    found = await house.search("bob", "approve budgets", said.after)
    assert found["total"] == 1
    item = found["items"][0]
    assert (item["kind"], item["id"], item["author_id"], item["language"]) == ("post", said.id, "ann", "en")
    assert item["title"].startswith("The quarterly budget")
    (passage,) = item["highlights"]
    assert passage["field"] == "text"
    assert [piece["text"] for piece in passage["pieces"] if piece["found"]] == ["budget", "approved"]
    assert "".join(piece["text"] for piece in passage["pieces"]).startswith("The quarterly budget")
