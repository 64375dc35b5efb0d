"""Each rule of who may import whom, broken on purpose in a copy of the tree and seen reported."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
_PACKAGES = ("contracts", "infra", "services", "shared")
_LEFT_OUT = shutil.ignore_patterns("node_modules", "__pycache__", "static", "schemas", "examples")

#: Rule, the module that breaks it, what that module says, and what is reported.
BREAKS = [
    ("house", "shared/runtime/ids.py", "import contracts.wiki", "shared.runtime.ids -> contracts.wiki"),
    ("house", "contracts/wiki.py", "import services.wiki.domain", "contracts.wiki -> services.wiki.domain"),
    ("house", "services/wiki/domain/paths.py", "import infra.engines", "services.wiki.domain.paths -> infra"),
    (
        "independent-services",
        "services/wiki/links.py",
        "import services.identity.domain",
        "-> services.identity",
    ),
    (
        "shared",
        "shared/kernel/errors.py",
        "import shared.runtime.ids",
        "shared.kernel.errors -> shared.runtime",
    ),
    ("shared", "shared/helpers.py", "", "shared.helpers"),
    ("infra", "infra/engines/locks.py", "import infra.cli", "infra.engines.locks -> infra.cli"),
    ("infra", "infra/cli/lag.py", "import infra.containers", "infra.cli.lag -> infra.containers"),
    ("infra", "infra/helpers.py", "", "infra.helpers"),
    ("identity", "services/identity/helpers.py", "", "services.identity.helpers"),
    (
        "identity",
        "services/identity/domain/secrets.py",
        "import services.identity.api",
        "services.identity.domain.secrets -> services.identity.api",
    ),
    ("wiki", "services/wiki/helpers.py", "", "services.wiki.helpers"),
    (
        "wiki",
        "services/wiki/projections.py",
        "import services.wiki.api",
        "services.wiki.projections -> services.wiki.api",
    ),
    ("wiki", "services/wiki/api.py", "import services.wiki.app", "services.wiki.api -> services.wiki.app"),
    ("feed", "services/feed/helpers.py", "", "services.feed.helpers"),
    (
        "feed",
        "services/feed/domain/posts.py",
        "import services.feed.api",
        "services.feed.domain.posts -> services.feed.api",
    ),
    ("groups", "services/groups/helpers.py", "", "services.groups.helpers"),
    (
        "groups",
        "services/groups/domain/owners.py",
        "import services.groups.api",
        "services.groups.domain.owners -> services.groups.api",
    ),
    ("search", "services/search/helpers.py", "", "services.search.helpers"),
    (
        "search",
        "services/search/projections.py",
        "import services.search.index",
        "services.search.projections -> services.search.index",
    ),
    ("engagement", "services/engagement/helpers.py", "", "services.engagement.helpers"),
    (
        "engagement",
        "services/engagement/domain/signals.py",
        "import services.engagement.api",
        "services.engagement.domain.signals -> services.engagement.api",
    ),
    ("gateway", "services/gateway/helpers.py", "", "services.gateway.helpers"),
    (
        "gateway",
        "services/gateway/locale.py",
        "import services.gateway.render",
        "services.gateway.locale -> services.gateway.render",
    ),
    ("pure", "services/wiki/domain/pages.py", "import fastapi", "services.wiki.domain.pages -> fastapi"),
    ("pure", "services/wiki/projections.py", "import pymongo", "services.wiki.projections -> pymongo"),
    ("pure", "contracts/identity.py", "import httpx", "contracts.identity -> httpx"),
    ("pure", "services/wiki/domain/pages.py", "import shared.runtime.store", "-> shared.runtime.store"),
    ("pure", "shared/kernel/events.py", "import structlog", "shared.kernel.events -> structlog"),
    ("kernel", "shared/kernel/events.py", "import bson", "shared.kernel.events -> bson"),
    ("kafka", "services/wiki/api.py", "import aiokafka", "services.wiki.api -> aiokafka"),
    ("kafka", "services/gateway/locale.py", "import faststream", "services.gateway.locale -> faststream"),
    ("door", "services/gateway/reception.py", "import pymongo", "services.gateway.reception -> pymongo"),
    (
        "door",
        "services/gateway/clients.py",
        "import shared.runtime.store",
        "services.gateway.clients -> shared.runtime.store",
    ),
    ("opensearch", "services/wiki/links.py", "import opensearchpy", "services.wiki.links -> opensearchpy"),
]


_RULE = re.compile(r"\[importlinter:contract:(?P<rule>.+)\]\n(?:#.*\n)?name = (?P<name>.+)")
_RULES = {found["rule"]: found["name"] for found in _RULE.finditer((ROOT / ".importlinter").read_text())}

Break = tuple[str, str, str, str]


def report(house: Path) -> str:
    """What import-linter says about the tree; wide enough that no line is wrapped."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    wide = os.environ | {"COLUMNS": "400", "NO_COLOR": "1"}
    return subprocess.run(command, cwd=house, capture_output=True, text=True, env=wide).stdout


def rounds() -> Iterator[dict[str, Break]]:
    """The breaks, in portions that break each rule and each module once at most: few runs for many breaks."""
    left = list(BREAKS)
    while left:
        portion: dict[str, Break] = {}
        for one in left:
            if one[0] not in portion and one[1] not in {other[1] for other in portion.values()}:
                portion[one[0]] = one
        left = [one for one in left if one not in portion.values()]
        yield portion


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of every Python file, so that breaking a rule hurts nobody."""
    copy = tmp_path_factory.mktemp("house")
    for package in _PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=_LEFT_OUT)
    shutil.copy(ROOT / ".importlinter", copy)
    return copy


@pytest.fixture(scope="module")
def reports(house: Path) -> dict[Break, str]:
    """What was said about each break, under the name of its rule."""
    found = {}
    for portion in rounds():
        before = {file: _content(house / file) for _, file, _, _ in portion.values()}
        for _, file, says, _ in portion.values():
            (house / file).write_text(f"{before[file] or ''}\n{says}\n")
        said = report(house).partition("Broken contracts")[2]
        for rule, one in portion.items():
            found[one] = said.partition(f"\n{_RULES[rule]}\n---")[2].partition("\n---")[0]
        for file, content in before.items():
            _restore(house / file, content)
    return found


def _content(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


def _restore(path: Path, content: str | None) -> None:
    if content is None:
        path.unlink()
    else:
        path.write_text(content)


def test_the_house_keeps_its_rules(house: Path) -> None:
    said = report(house)
    assert " 0 broken." in said, said


@pytest.mark.parametrize("one", BREAKS, ids=lambda one: f"{one[0]}: {one[3]}")
def test_a_broken_rule_is_reported(one: Break, reports: dict[Break, str]) -> None:
    assert one[3] in reports[one]


def test_every_rule_is_among_the_broken_ones() -> None:
    assert {rule for rule, *_ in BREAKS} == set(_RULES)
