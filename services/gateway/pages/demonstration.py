"""Does this platform show itself with a made-up company, and what was planted in it? As its loader says."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ValidationError

from shared.runtime.logging import get_logger

log = get_logger(__name__)


class Film(BaseModel):
    first_time_after: int
    first_time_before: int


class MailList(BaseModel):
    replaced_on: date
    mails_before: int
    announcements_since: int


class Announced(BaseModel):
    post_id: str
    people: int
    acknowledged: int


class Island(BaseModel):
    members: int


class Unread(BaseModel):
    """Those who prefer `language`, and how many of them read English."""

    language: str
    members: int
    read_english: int


class Manifest(BaseModel):
    """As far as the tour shows it. `stops` are ids, by what is to be seen there. Companies that were made up
    before have no `unread`."""

    counts: Mapping[str, int]
    since: datetime
    film: Film
    mails: MailList
    announcements: list[Announced]
    island: Island
    unread: Unread | None = None
    stops: Mapping[str, str]


def of(home: Path) -> Manifest | None:
    """None where there is no such company; looked at anew when the file changed."""
    path = home / "demo" / "manifest.json"
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        return None
    return _read(path, changed)


@lru_cache(maxsize=4)
def _read(path: Path, changed: int) -> Manifest | None:
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        log.warning("the demonstration's manifest cannot be read", error=repr(error))
        return None
