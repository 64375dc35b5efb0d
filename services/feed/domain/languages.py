"""Which language a text is in: what its author says, else what somebody corrected, else what was detected."""

from dataclasses import dataclass

from contracts.feed import LanguageSource
from shared.kernel import text

#: Digits of a confidence that mean anything.
_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Detected:
    """What a detection found, and how sure it is, 0 to 1."""

    code: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Language:
    """The language of a text. `confidence` only where it was detected."""

    code: str = ""
    source: LanguageSource = LanguageSource.DETECTED
    confidence: float | None = None


UNSAID = Language()


def said(by_author: str | None, detected: Detected, before: Language | None = None) -> Language:
    """The language of a new text, or of one that was in `before`. Raises Refused."""
    if by_author is not None:
        stored = (before.code,) if before is not None else ()
        return Language(text.language(by_author, stored=stored), LanguageSource.AUTHOR)
    if before is not None and before.source is not LanguageSource.DETECTED:
        return before
    return Language(detected.code, LanguageSource.DETECTED, round(detected.confidence, _DIGITS))
