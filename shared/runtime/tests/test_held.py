"""Documents in hand: so many bytes, the last ones written."""

from pydantic import BaseModel

from shared.runtime.held import LARGEST, Document, Held


class _View(BaseModel):
    n: int


def _document(n: int) -> Document[_View]:
    return Document(_View(n=n), n)


def test_what_was_written_longest_ago_goes_first() -> None:
    held: Held[_View] = Held(30)
    for n in range(3):
        held.put(f"d{n}", _document(n), 10)
    held.put("d0", _document(7), 10)
    held.put("d3", _document(3), 10)
    assert {key: document.rev for key, document in held.of(["d0", "d1", "d2", "d3"]).items()} == {
        "d0": 7,
        "d2": 2,
        "d3": 3,
    }


def test_a_large_document_is_not_kept_nor_what_it_was_before() -> None:
    held: Held[_View] = Held()
    held.put("d", _document(1), 10)
    held.put("d", _document(2), LARGEST + 1)
    assert held.of(["d"]) == {}


def test_what_is_forgotten_makes_room() -> None:
    held: Held[_View] = Held(20)
    held.put("d0", _document(0), 10)
    held.put("d1", _document(1), 10)
    held.forget(["d0", "never"])
    held.put("d2", _document(2), 10)
    assert set(held.of(["d0", "d1", "d2"])) == {"d1", "d2"}
    held.clear()
    assert held.of(["d1", "d2"]) == {}
