"""What Swedish nouns lose by their endings alone, however long they are. Pure.

A word and a longer one that ends with it have to be left with the same. The engine's stemmers leave them with
different things: what they take depends on how much stands before it.
"""

from collections.abc import Iterable, Mapping, Sequence

#: Endings of nouns, with the words that end so by themselves. An `s` may follow.
_ENDINGS: Mapping[str, Sequence[str]] = {
    **dict.fromkeys(("arna", "erna", "orna", "ena", "aren", "are", "ern", "en", "ar", "er", "a", "e"), ()),
    "et": ("het", "paket", "budget"),
    "or": ("kontor", "dator", "motor", "faktor", "sektor", "doktor"),
}
#: Those that are endings only after these letters.
_AFTER: Mapping[str, Sequence[str]] = {"n": ("or", "y", "l", "to"), "na": ("to",), "t": ("to",)}
#: What words keep of letters that they lose in other forms (`semestrar`), double (`rummet`) or change
#: (`ansökningar`, `ansökan`), after which it is taken.
_LEFT: Mapping[str, Sequence[str]] = {"r": "bdgkmpt", "m": "m", "ning": ("bjud", "mäl", "sök")}


def backwards(least: int, *, left: bool = True) -> str:
    """What is taken, as a pattern for words that stand backwards: one that looks at a beginning only takes a
    tenth of the time. Endings leave `least` letters; `left`: what these leave of a word is taken, too."""
    ends = {end: _turned("?!", [word.removesuffix(end) for word in own]) for end, own in _ENDINGS.items()}
    ends |= {end: _turned("?=", letters) for end, letters in _AFTER.items()}
    some = "|".join(end[::-1] + ends[end] for end in sorted(ends, key=len, reverse=True))
    # no `s` follows these: `skolan`, `muffins`
    taken = f"(?:s?(?:{some})|na(?!lp)|s(?=ni))(?=.{{{least}}})"
    rest = "|".join(end[::-1] + _turned("?=", letters) for end, letters in _LEFT.items())
    # most words lose nothing: a pattern that takes nothing of them would make them anew
    return f"^(?:{taken}(?:{rest})?|{rest})" if left else f"^{taken}"


def _turned(how: str, before: Iterable[str]) -> str:
    """What has to stand before an ending, or must not."""
    some = "|".join(letters[::-1] for letters in before)
    return f"({how}{some})" if some else ""
