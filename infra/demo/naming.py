"""Names that nobody has: common given names and family names, put together."""

import random
import tomllib
from pathlib import Path

_FILE = Path(__file__).parent / "names.toml"
#: How often somebody has a name that does not fit a narrow column.
_LONG = 0.02
_TRIES = 50


class Names:
    """Each once, as far as the lists reach."""

    def __init__(self, draw: random.Random, taken: set[str]) -> None:
        self._draw = draw
        self._taken = set(taken)
        self._lists = tomllib.loads(_FILE.read_text(encoding="utf-8"))

    def next(self, language: str) -> str:
        lists = self._lists[language]
        if self._draw.random() < _LONG and (long := self._draw.choice(lists["long"])) not in self._taken:
            self._taken.add(long)
            return str(long)
        for _ in range(_TRIES):
            name = f"{self._draw.choice(lists['given'])} {self._draw.choice(lists['family'])}"
            if name not in self._taken:
                break
        else:
            name = f"{self._draw.choice(lists['given'])} {'-'.join(self._draw.sample(lists['family'], 2))}"
        self._taken.add(name)
        return name
