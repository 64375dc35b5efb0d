"""What people say, in eight languages: short texts of our own, put together from parts."""

import random
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

THEMES = ("shop", "stock", "it", "customers", "team")
_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Phrases:
    """Of one language."""

    language: str
    said: dict[str, Any]

    def of(self, kind: str, chance: random.Random) -> Any:
        return chance.choice(self.said[kind])

    def post(self, chance: random.Random, theme: str) -> str:
        """An opening and a detail of one theme, sometimes a question, sometimes its topic."""
        parts = self.said["posts"][theme]
        text = f"{chance.choice(parts['openings'])} {chance.choice(parts['details'])}"
        if closing := self.of("closings", chance):
            text = f"{text} {closing}"
        return f"{text} #{self.said['topics'][theme]}" if chance.random() < 0.35 else text

    def page(self, chance: random.Random, number: int) -> tuple[str, str]:
        """A title and its text, with the signs of its number: no two are alike."""
        found = self.said["pages"][number % len(self.said["pages"])]
        theme = THEMES[number % len(THEMES)]
        more = self.said["posts"][theme]["details"]
        return str(found["title"]), f"{found['text']}\n\n{chance.choice(more)}"


@cache
def phrases(language: str) -> Phrases:
    return Phrases(language, tomllib.loads((_HERE / f"{language}.toml").read_text(encoding="utf-8")))
