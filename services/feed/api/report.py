"""Who has read an announcement and who has not, for its sender: by page, and whole as CSV.

The denominator is who was in the audience when it was published, by the country and language that they had
then. Who came later and who left is said apart.
"""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query, Response

from services.feed import projections
from services.feed.api.access import Feed, asker
from services.feed.api.answers import Reader, Report, ReportCounts, Share
from services.feed.audiences import Present
from services.feed.domain.permissions import demand
from services.feed.projections import PostView, ResponseView, Standing
from shared.kernel.audience import Classification
from shared.kernel.errors import Refused
from shared.runtime import cursors
from shared.runtime.http import After, Caller, Cursor, PageSize

#: Acknowledgements read at one time.
BATCH = 5_000


class Show(StrEnum):
    ALL = "all"
    ACKNOWLEDGED = "acknowledged"
    MISSING = "missing"
    LEFT = "left"
    JOINED = "joined"


class Form(StrEnum):
    JSON = "json"
    CSV = "csv"


@dataclass
class _Tally:
    """The report's figures, member by member."""

    edition: int
    people: int = 0
    acknowledged: int = 0
    current: int = 0
    left: int = 0
    joined: int = 0
    joined_acknowledged: int = 0
    countries: dict[str, Share] = field(default_factory=dict)
    languages: dict[str, Share] = field(default_factory=dict)

    def add(self, reader: Reader) -> None:
        has = reader.acknowledged_at is not None
        if reader.state is Standing.JOINED:
            self.joined += 1
            self.joined_acknowledged += has
            return
        self.people += 1
        self.acknowledged += has
        self.current += has and reader.edition == self.edition
        self.left += not has and reader.state is Standing.LEFT
        for shares, name in ((self.countries, reader.country), (self.languages, reader.language)):
            share = shares.setdefault(name or "", Share(people=0, acknowledged=0))
            share.people += 1
            share.acknowledged += has

    def counts(self) -> ReportCounts:
        return ReportCounts(
            people=self.people,
            acknowledged=self.acknowledged,
            missing=self.people - self.acknowledged,
            left=self.left,
            joined=self.joined,
            joined_acknowledged=self.joined_acknowledged,
            current_edition=self.current,
        )


def router(feed: Feed) -> APIRouter:
    api = APIRouter()

    @api.get("/posts/{post_id}/acknowledgements", response_model=Report)
    async def read_report(
        caller: Caller,
        response: Response,
        post_id: str,
        limit: PageSize,
        cursor: Cursor,
        after: After,
        show: Annotated[Show, Query(description="Whom to list; the figures are always of all")] = Show.ALL,
        form: Annotated[Form, Query(alias="format", description="csv lists all, without pages")] = Form.JSON,
    ) -> Report | Response:
        """Who was asked to read this announcement, and who has."""
        reader = await feed.readers.of(caller)
        await feed.wait(response, after, projections.posts, projections.responses, projections.members)
        post = await feed.post(post_id, reader)
        demand("feed:report", asker(caller, reader, post.group_id), post.author_id)
        if not post.must_acknowledge:
            raise Refused("nothing-to-acknowledge", "This does not ask to be acknowledged.")
        tally = _Tally(post.edition)
        readers = [one async for one in _readers(feed, post)]
        for one in readers:
            tally.add(one)
        listed = [one for one in readers if _listed(one, show)]
        if form is Form.CSV:
            return _as_csv(post, listed)
        past = cursors.checked(cursor, str)
        left = [one for one in listed if past is None or one.member_id > past[0]]
        return Report(
            post_id=post_id,
            title="" if await feed.keys.erased([post.author_id]) else post.title,
            published_at=post.published_at,
            edition=post.edition,
            counts=tally.counts(),
            countries=dict(sorted(tally.countries.items())),
            languages=dict(sorted(tally.languages.items())),
            items=left[:limit],
            next=cursors.encode([left[limit - 1].member_id]) if len(left) > limit else None,
        )

    return api


def _listed(reader: Reader, show: Show) -> bool:
    """Who came later is neither among those who have read it nor among those who are missing."""
    has, asked = reader.acknowledged_at is not None, reader.state is not Standing.JOINED
    match show:
        case Show.ACKNOWLEDGED:
            return has and asked
        case Show.MISSING:
            return not has and reader.state is Standing.PRESENT
        case Show.LEFT:
            return not has and reader.state is Standing.LEFT
        case Show.JOINED:
            return not asked
    return True


async def _readers(feed: Feed, post: PostView) -> AsyncIterator[Reader]:
    """Everybody who was asked, by id, with their acknowledgements. The author is not asked."""
    responses = await _acknowledged(feed, post.post_id)
    level = Classification(post.classification)
    clauses = [clause for clause in post.audience if clause != f"member:{post.author_id}"]
    async for present in feed.audiences.since(clauses, level, post.published_at, post.author_id):
        yield _reader(present, responses)


async def _acknowledged(feed: Feed, post_id: str) -> dict[str, ResponseView]:
    found: dict[str, ResponseView] = {}
    where = {"item_id": post_id, "acknowledged_at": {"$ne": None}}
    past: list[str] | None = None
    while True:
        views = await feed.responses.find(where, sort=[("_id", 1)], limit=BATCH, after=past)
        found |= {view.member_id: view for view in views}
        if len(views) < BATCH:
            return found
        past = [projections.response_key(post_id, views[-1].member_id)]


def _reader(present: Present, responses: Mapping[str, ResponseView]) -> Reader:
    response = responses.get(present.member_id)
    return Reader(
        member_id=present.member_id,
        state=present.been.standing,
        country=present.country,
        language=present.language,
        acknowledged_at=response.acknowledged_at if response else None,
        edition=response.edition if response else None,
        acknowledged_in=response.language if response else None,
        joined_at=present.been.joined_at,
        left_at=present.been.left_at,
    )


def _as_csv(post: PostView, readers: Iterable[Reader]) -> Response:
    """One line each. Ids and codes only, so no cell can begin a formula."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(Reader.model_fields))
    writer.writeheader()
    for reader in readers:
        writer.writerow(reader.model_dump(mode="json"))
    headers = {"Content-Disposition": f'attachment; filename="acknowledgements-{post.post_id}.csv"'}
    return Response(out.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)
