"""What changed between two texts, as pages show it: passages that differ, and how much lies between."""

from collections.abc import Iterable, Iterator, Sequence

from services.gateway.pages.answers import Block, Line, Step
from services.gateway.view_models import DiffBlock, DiffFact, DiffPiece, DiffSame

_KINDS = {"same": "same", "del": "gone", "ins": "new"}
_WHOLE = {"added": "new", "removed": "gone"}


def passages(blocks: Iterable[Block]) -> list[DiffBlock | DiffSame]:
    shown: list[DiffBlock | DiffSame] = []
    for block in blocks:
        if block.kind in ("same", "folded"):
            lines = block.folded or len(block.before)
            if shown and isinstance(last := shown[-1], DiffSame):
                shown[-1] = DiffSame(last.lines + lines)
            else:
                shown.append(DiffSame(lines))
        else:
            ends = _WHOLE.get(block.kind, "same")
            shown.append(DiffBlock(list(_pieces(block.before, ends)), list(_pieces(block.after, ends))))
    return shown if any(isinstance(part, DiffBlock) for part in shown) else []


def facts(old: Step, new: Step) -> list[DiffFact]:
    """What differs beside the text, where both steps say it."""
    found = []
    if old.title is not None and new.title is not None and old.title != new.title:
        found.append(DiffFact("title", old.title, new.title))
    before = old.path if new.kind != "moved" else new.from_path
    if before is not None and new.path is not None and before != new.path:
        found.append(DiffFact("path", before, new.path))
    return found


def _pieces(lines: Sequence[Line], ends: str) -> Iterator[DiffPiece]:
    """Runs of one kind as one piece; `ends` is the kind of the line ends."""
    kind, text = "", ""
    for number, line in enumerate(lines):
        runs = [(_KINDS[run.kind], run.text) for run in line.runs]
        for next_kind, more in ([(ends, "\n")] if number else []) + runs:
            if next_kind != kind and text:
                yield DiffPiece(text, kind)  # type: ignore[arg-type]
                text = ""
            kind, text = next_kind, text + more
    if text:
        yield DiffPiece(text, kind)  # type: ignore[arg-type]
