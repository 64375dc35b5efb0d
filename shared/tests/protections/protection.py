"""The shape of an entry."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Protection:
    """`sentence` is one of docs/semantics.md by paragraph and number, `words` says what protects, `without`
    what happens otherwise. `new` in place of `old`, which is in `file` exactly once, takes it away; `test` is
    below shared/tests."""

    name: str
    sentence: str
    words: str
    without: str
    file: str
    old: str
    new: str
    test: str
