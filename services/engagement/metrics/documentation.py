"""The definitions as docs/metrics.md tells them, between two marks."""

from pathlib import Path

from services.engagement.metrics import DEFINITIONS
from services.engagement.metrics.definition import Definition, Privacy

PATH = Path(__file__).resolve().parents[3] / "docs" / "metrics.md"
_BEGIN, _END = "<!-- definitions: begin -->\n", "<!-- definitions: end -->"
_MADE_OF = {
    Privacy.OPEN: "made of what was done in the open.",
    Privacy.READING: "made also of what was opened and read, under consent.",
}


def written(now: str) -> str:
    """The document with today's definitions; raises ValueError where it lacks the marks."""
    before, begin, rest = now.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"{PATH} lacks its marks")
    return before + begin + "".join(_section(definition) for definition in DEFINITIONS) + end + after


def _section(definition: Definition) -> str:
    standing = "" if definition.in_force else ", beside the one in force"
    counts = ", ".join(sorted(kind.value for kind in definition.kinds))
    lines = [
        "",
        f"## {definition.title}",
        "",
        f"`{definition.name}`, version {definition.version}{standing}; "
        f"by {definition.every.value} where nothing else is asked.",
        "",
        definition.words,
        "",
        f"- Formula: {definition.formula}.",
        f"- Source: {definition.source}.",
        f"- Counts: {counts}.",
        f"- Privacy: {_MADE_OF[definition.privacy]}",
        *([f"- Changed: {definition.changed}"] if definition.changed else []),
        "",
        "| measure | what | unit |",
        "| --- | --- | --- |",
        *(f"| `{measure.name}` | {measure.title} | {measure.unit} |" for measure in definition.columns),
        "",
    ]
    return "\n".join(lines)
