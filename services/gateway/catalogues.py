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
DOMAINS = ("interface", "refusals")
#: The classes of `shared.kernel.errors` that carry a code and a sentence.
REFUSALS = frozenset(
    ["Refused", "NotFound", "Forbidden", "Unauthenticated", "Conflict", "TooLarge", "TooMany", "Unavailable"]
)
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
    write_mo(buffer, _read(language, "interface"))
    buffer.seek(0)
    return buffer


@lru_cache
def refusals(language: str) -> Mapping[str, list[tuple[re.Pattern[str], str]]]:
    """By code: what an English message looks like, and its translation with the same names in braces."""
    found: dict[str, list[tuple[re.Pattern[str], str]]] = {}
    if (LOCALES / language / "refusals.po").exists():
        for message in _read(language, "refusals"):
            if message.id and message.string and not message.fuzzy:
                pattern = re.compile(_as_pattern(str(message.id)), re.DOTALL)
                found.setdefault(str(message.context), []).append((pattern, str(message.string)))
    return found


def _as_pattern(template: str) -> str:
    """A sentence with `{names}` as the expression that finds them again in the finished sentence."""
    parts = re.split(r"\{([a-z_]+)\}", template)
    return "".join(f"(?P<{part}>.*?)" if at % 2 else re.escape(part) for at, part in enumerate(parts))


def _read(language: str, domain: str) -> Catalog:
    with (LOCALES / language / f"{domain}.po").open("rb") as file:
        return read_po(file, locale=language, domain=domain)


@dataclass(frozen=True, slots=True)
class Gap:
    """A text that a language lacks, and where it is used."""

    language: str
    where: str
    text: str
    why: str

    def __str__(self) -> str:
        return f"{self.language}: {self.where}: {self.why}: {self.text}"


def source_texts(folder: Path = GATEWAY) -> Catalog:
    """Every text that templates and Python of the gateway hand to gettext."""
    catalog = Catalog(domain="interface")
    keywords = {**DEFAULT_KEYWORDS, "_": None}
    for name, line, text, _, context in extract_from_dir(folder, _METHODS, _OPTIONS, keywords):
        catalog.add(text, locations=[(name, line)], context=context)
    return catalog


def source_refusals(rooms: Iterable[Path] = ROOMS) -> Catalog:
    """Every refusal of the services: its sentence, under its code."""
    catalog = Catalog(domain="refusals")
    for room in rooms:
        for file in sorted(room.rglob("*.py")):
            if "tests" not in file.parts and "node_modules" not in file.parts:
                for line, code, sentence in _refusals_in(file):
                    catalog.add(
                        sentence, locations=[(f"{file.relative_to(room.parent)}", line)], context=code
                    )
    return catalog


def _refusals_in(file: Path) -> Iterator[tuple[int, str, str]]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REFUSALS:
            match node.args[:2]:
                case [ast.Constant(value=str(code)), ast.Constant(value=str(sentence))]:
                    yield node.lineno, code, sentence


def extract(locales: Path = LOCALES) -> None:
    """Brings every catalogue in step with the sources: new texts appear empty, unused ones go."""
    sources = {"interface": source_texts(), "refusals": source_refusals()}
    for language in sorted(folder.name for folder in locales.iterdir() if folder.is_dir()):
        for domain, source in sources.items():
            path = locales / language / f"{domain}.po"
            _update(path, language, domain, source)


def _update(path: Path, language: str, domain: str, source: Catalog) -> None:
    catalog = read_po(path.open("rb"), locale=language) if path.exists() else Catalog(locale=language)
    catalog.update(source, no_fuzzy_matching=True)
    buffer = BytesIO()
    write_po(
        buffer, catalog, width=110, no_location=True, sort_output=True, ignore_obsolete=True, omit_header=True
    )
    header = _HEADER.format(language=language, domain=domain, plurals=catalog.plural_forms)
    path.write_bytes(header.encode() + buffer.getvalue())


def gaps(locales: Path = LOCALES, sources: Iterable[Catalog] | None = None) -> list[Gap]:
    """What the offered languages lack."""
    found = []
    for source in sources or (source_texts(), source_refusals()):
        for folder in sorted(folder for folder in locales.iterdir() if folder.is_dir()):
            path = folder / f"{source.domain}.po"
            catalog = (
                read_po(path.open("rb"), locale=folder.name) if path.exists() else Catalog(locale=folder.name)
            )
            found += [
                gap for message in source if message.id and (gap := _gap(folder.name, message, catalog))
            ]
    return found


def _gap(language: str, message: Message, catalog: Catalog) -> Gap | None:
    where = ":".join(str(part) for part in message.locations[0])
    text = message.id if isinstance(message.id, str) else message.id[0]
    translated = catalog.get(message.id, context=message.context)
    strings = (
        [translated.string]
        if translated and isinstance(translated.string, str)
        else translated and translated.string
    )
    if not translated or not strings or not all(strings):
        return Gap(language, where, text, "not translated")
    if translated.fuzzy:
        return Gap(language, where, text, "fuzzy")
    if any(_names(text) - _names(string) and not isinstance(message.id, tuple) for string in strings):
        return Gap(language, where, text, "names in the translation differ")
    if any(
        _names(string) - _names(" ".join(message.id) if isinstance(message.id, tuple) else text)
        for string in strings
    ):
        return Gap(language, where, text, "names in the translation differ")
    return None


def _names(text: str) -> set[str]:
    """What a text leaves open: `%(time)s` or `{most}`."""
    return set(re.findall(r"%\((\w+)\)s|\{(\w+)\}", text))


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
