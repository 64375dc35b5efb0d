"""The platform as members meet it: the gateway's address, the demonstration company, a handbook."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from e2e_tests.people import Person
from infra.cli import importing
from infra.cli.handbook import FIRST_HANDBOOK
from infra.cli.platform import Platform
from services.gateway import assets
from services.gateway.tests import browser
from services.gateway.tests.house import SERVICES, House, opened
from services.wiki import handbook

#: Lines of the handbook's history that most stories read: 99 pages, the oldest with a dozen revisions.
LINES = 200


@dataclass(frozen=True, slots=True)
class Site:
    """`handbook` is the space's address."""

    url: str
    house: House
    handbook: str


@pytest.fixture(scope="package")
def site(
    mongo_uri: str, kafka_bootstrap: str, opensearch_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    assets.build()
    home = tmp_path_factory.mktemp("site")
    with opened(mongo_uri, kafka_bootstrap, opensearch_url, home, SERVICES) as house:
        space = import_handbook(house, _beginning(home / "handbook.jsonl"), "handbook")
        yield Site(house.settings.gateway_url, house, f"/wiki/spaces/{space}")


def _beginning(path: Path) -> Path:
    with FIRST_HANDBOOK.open("rb") as file:
        lines = [line for _, line in zip(range(LINES), handbook.lines(file), strict=False)]
    path.write_bytes(b"".join(line.rstrip(b"\n") + b"\n" for line in lines))
    return path


def import_handbook(house: House, path: Path, source: str) -> str:
    """The id of the space that it is in."""
    with Platform(house.settings.gateway_url, house.members["alva"].token) as platform:
        report = importing.bring(platform, importing.read(path, source), None, lambda through, of: None)
    return report.space_id


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    with browser.started() as started:
        yield started


@pytest.fixture
def enter(site: Site, chromium: Browser) -> Iterator[Callable[..., Person]]:
    """Somebody enters, with a browser of their own. Whatever that complained of fails the story."""
    with ExitStack() as stack:
        people: list[Person] = []

        def entered(name: str = "", **how: Any) -> Person:
            person = stack.enter_context(Person.entering(chromium, site.url, **how))
            people.append(person)
            if name:
                person.sign_in(site.house.members[name])
            return person

        yield entered
        assert [complaint for person in people for complaint in person.complaints] == []
