"""Where the committed files are, what they are called, and how they are read and written."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_VERSIONED = re.compile(r"(?P<name>\w+)\.v(?P<version>[1-9]\d*)\.json")


@dataclass(frozen=True, slots=True)
class Tree:
    """The folder `contracts/` of a checkout."""

    folder: Path

    def schema(self, service: str, name: str, version: int) -> Path:
        return self.folder / "schemas" / service / f"{name}.v{version}.json"

    def example(self, service: str, name: str, version: int) -> Path:
        return self.folder / "examples" / service / f"{name}.v{version}.json"

    @property
    def asyncapi(self) -> Path:
        return self.folder / "asyncapi.json"

    def versions(self, kind: str) -> dict[tuple[str, str], set[int]]:
        """The committed versions per (service, event); `kind` is 'schemas' or 'examples'."""
        found: dict[tuple[str, str], set[int]] = {}
        for path in sorted((self.folder / kind).glob("*/*.json")):
            if match := _VERSIONED.fullmatch(path.name):
                found.setdefault((path.parent.name, match["name"]), set()).add(int(match["version"]))
        return found

    def said(self, path: Path) -> str:
        """The path as people know it."""
        return f"contracts/{path.relative_to(self.folder)}"


def text(document: Mapping[str, Any]) -> str:
    """The one way in which a document is laid out."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def read(path: Path) -> dict[str, Any] | None:
    """The document at `path`; None where there is none."""
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return document


def write(path: Path, content: str) -> bool:
    """Whether the file had to be changed."""
    if path.exists() and path.read_text(encoding="utf-8") == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return True
