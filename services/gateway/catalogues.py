"""Which texts exist in which language? Reads the catalogues at start and keeps them in step with the sources.

`locales/<language>/interface.po` holds the texts of templates and pages, `locales/<language>/refusals.po` the
refusals of the services, each under its code. They are read as they are: nothing has to be compiled.
"""

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

GATEWAY = Path(__file__).resolve().parent
LOCALES = GATEWAY / "locales"
ROOMS = (GATEWAY.parent, GATEWAY.parents[1] / "shared")
#: Every definition of a figure, in words that pages show: written from the code, and `make check` compares.
METRICS = GATEWAY.parents[1] / "docs/metrics.md"
DOMAINS = ("interface", "refusals")
#: The classes of `shared.kernel.errors` that carry a code and a sentence, and the gateway's own of them.
REFUSALS = frozenset(
    [
        "Refused",
        "NotFound",
        "Forbidden",
        "Unauthenticated",
        "Conflict",
        "TooLarge",
        "TooMany",
        "Unavailable",
        "Away",
    ]
)
#: What the runtime itself refuses with (`shared/runtime/problems.py`): after the status, code and sentence.
_PROBLEM = "_problem"
_RAISED = REFUSALS | {_PROBLEM}
_METHODS = [
    ("**/tests/**", "ignore"),
    ("**/node_modules/**", "ignore"),
    ("templates/**.html", "jinja2"),
    ("**.py", "python"),
]
_OPTIONS = {"templates/**.html": {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"}}
#: Only what readers of the file need: no dates or names, which git knows better.
_HEADER = r"""# Fikarum in {language}: {domain}
msgid ""
msgstr ""
"Language: {language}\n"
"Plural-Forms: {plurals};\n"
"MIME-Version: 1.0\n"
"Content-Type: text/plain; charset=utf-8\n"
"Content-Transfer-Encoding: 8bit\n"

"""


def languages() -> tuple[str, ...]:
    return tuple(sorted(folder.name for folder in LOCALES.iterdir() if (folder / "interface.po").exists()))


def compiled(language: str) -> BytesIO:
    """The interface's texts in the form that gettext reads."""
    buffer = BytesIO()
    write_mo(buffer, _read(LOCALES, language, "interface"))
    buffer.seek(0)
    return buffer


@lru_cache
def refusals(language: str) -> Mapping[str, list[tuple[re.Pattern[str], str]]]:
    """By code: what an English message looks like, and its translation with the same names in braces."""
    found: dict[str, list[tuple[re.Pattern[str], str]]] = {}
    if (LOCALES / language / "refusals.po").exists():
        for message in _read(LOCALES, language, "refusals"):
            if message.id and message.string and not message.fuzzy:
                pattern = re.compile(_as_pattern(str(message.id)), re.DOTALL)
                found.setdefault(str(message.context), []).append((pattern, str(message.string)))
    return found


def _as_pattern(template: str) -> str:
    """A sentence with `{names}` as the expression that finds them again in the finished sentence."""
    seen: set[str] = set()
    pattern = ""
    for at, part in enumerate(re.split(r"\{([a-z_]+)\}", template)):
        if at % 2 == 0:
            pattern += re.escape(part)
        else:
            pattern += f"(?P={part})" if part in seen else f"(?P<{part}>.*?)"
            seen.add(part)
    return pattern


def _read(locales: Path, language: str, domain: str) -> Catalog:
    """An empty catalogue where there is no file."""
    path = locales / language / f"{domain}.po"
    if not path.exists():
        return Catalog(locale=language, domain=domain)
    with path.open("rb") as file:
        return read_po(file, locale=language, domain=domain)


def _folders(locales: Path) -> list[str]:
    return sorted(folder.name for folder in locales.iterdir() if folder.is_dir())


@dataclass(frozen=True, slots=True)
class Gap:
    """A text that a language lacks, and where it is used."""

    language: str
    where: str
    text: str
    why: str

    def __str__(self) -> str:
        return f"{self.language}: {self.where}: {self.why}: {self.text}"


def source_texts(folder: Path = GATEWAY, metrics: Path = METRICS) -> Catalog:
    """Every text that templates and Python of the gateway hand to gettext, and what figures are called."""
    catalog = Catalog(domain="interface")
    keywords = {**DEFAULT_KEYWORDS, "_": None}
    for name, line, text, _, context in extract_from_dir(folder, _METHODS, _OPTIONS, keywords):
        catalog.add(text, locations=[(name, line)], context=context)
    for line, text in _definitions_in(metrics):
        catalog.add(text, locations=[(metrics.name, line)])
    return catalog


def source_refusals(rooms: Iterable[Path] = ROOMS) -> Catalog:
    """Every refusal of the services: its sentence, under its code."""
    catalog = Catalog(domain="refusals")
    for room in rooms:
        for file in _sources(room):
            for line, code, sentence in _refusals_in(file):
                catalog.add(sentence, locations=[(f"{file.relative_to(room.parent)}", line)], context=code)
    return catalog


def unread_refusals(rooms: Iterable[Path] = ROOMS) -> list[str]:
    """Where a refusal is raised whose code or sentence does not stand there: nothing can translate it."""
    return [
        f"{file.relative_to(room.parent)}: {ast.unparse(call)}"
        for room in rooms
        for file in _sources(room)
        for call in _raised_in(file)
        if _said_by(call) is None
    ]


def _sources(room: Path) -> Iterator[Path]:
    for file in sorted(room.rglob("*.py")):
        if "tests" not in file.parts and "node_modules" not in file.parts:
            yield file


def _refusals_in(file: Path) -> Iterator[tuple[int, str, str]]:
    for call in _raised_in(file):
        said = _said_by(call)
        if said is not None:
            yield call.lineno, *said


def _raised_in(file: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _RAISED:
            yield node


def _said_by(call: ast.Call) -> tuple[str, str] | None:
    """Code and sentence, where they stand there."""
    first = 1 if isinstance(call.func, ast.Name) and call.func.id == _PROBLEM else 0
    match call.args[first : first + 2]:
        case [ast.Constant(value=str(code)), ast.Constant(value=str(sentence))]:
            return code, sentence
    return None


def _definitions_in(document: Path) -> Iterator[tuple[int, str]]:
    """Titles and words of definitions, and what their measures are called."""
    said = document.read_text(encoding="utf-8")
    before, _, rest = said.partition("<!-- definitions: begin -->")
    named = False
    for line, text in enumerate(rest.splitlines(), before.count("\n") + 1):
        if text.startswith("## "):
            yield line, text.removeprefix("## ")
        elif text.startswith("| `"):
            yield line, text.split(" | ")[1]
        elif named and text:
            yield line, text
        # The words are what follows the name and the version.
        named = text.startswith("`") or (named and not text)


def extract(locales: Path = LOCALES) -> None:
    """Brings every catalogue in step with the sources: new texts appear empty, unused ones go."""
    for source in (source_texts(), source_refusals()):
        for language in _folders(locales):
            _update(locales, language, source)


def _update(locales: Path, language: str, source: Catalog) -> None:
    domain = str(source.domain)
    catalog = _read(locales, language, domain)
    catalog.update(source, no_fuzzy_matching=True)
    texts = BytesIO()
    write_po(texts, catalog, 110, no_location=True, sort_output=True, ignore_obsolete=True, omit_header=True)
    header = _HEADER.format(language=language, domain=domain, plurals=catalog.plural_forms)
    (locales / language / f"{domain}.po").write_bytes(header.encode() + texts.getvalue())


def gaps(locales: Path = LOCALES, sources: Iterable[Catalog] | None = None) -> list[Gap]:
    """What the offered languages lack."""
    found = []
    for source in sources or (source_texts(), source_refusals()):
        for language in _folders(locales):
            catalog = _read(locales, language, str(source.domain))
            for message in source:
                if message.id and (why := _fault(message, catalog)):
                    where = ":".join(str(part) for part in message.locations[0])
                    found.append(Gap(language, where, _forms(message.id)[0], why))
    return found


def _fault(message: Message, catalog: Catalog) -> str | None:
    """Why a text is not well translated, if it is not."""
    translated = catalog.get(message.id, context=message.context)
    if translated is None or not all(_forms(translated.string)):
        return "not translated"
    if translated.fuzzy:
        return "fuzzy"
    allowed = set().union(*map(_names, _forms(message.id)))
    needed = set() if message.pluralizable else allowed
    if any(not needed <= _names(form) <= allowed for form in _forms(translated.string)):
        return "names in the translation differ"
    return None


def _forms(text: str | list[str] | tuple[str, ...] | None) -> tuple[str, ...]:
    """The singular and the plurals, or the only form."""
    return tuple(text) if isinstance(text, (list, tuple)) else (text or "",)


def _names(text: str) -> set[str]:
    """What a text leaves open: `%(time)s` or `{most}`."""
    return {name or brace for name, brace in re.findall(r"%\((\w+)\)s|\{(\w+)\}", text)}


def main(arguments: list[str]) -> int:
    match arguments:
        case ["extract"]:
            extract()
            return 0
        case ["check"]:
            found = gaps()
            for gap in found:
                print(gap, file=sys.stderr)
            print(f"{len(found)} texts lack a translation." if found else "Every text is translated.")
            return 1 if found else 0
    print("usage: python -m services.gateway.locale check|extract", file=sys.stderr)
    return 2
