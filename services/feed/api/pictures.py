"""Pictures over HTTP: taken in, made ready, and shown to who may see their post."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response, status

from services.feed.api.access import ID, Feed
from services.feed.api.answers import PictureDone
from services.feed.domain.pictures import NAME, UploadPicture, pictures, small_name
from services.feed.imaging import LARGEST_UPLOAD
from shared.kernel.audience import Reader
from shared.kernel.errors import NotFound
from shared.runtime.http import Caller, Doing

_BYTES = {
    "required": True,
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}


def router(feed: Feed) -> APIRouter:
    api = APIRouter()

    @api.post(
        "/pictures",
        status_code=status.HTTP_201_CREATED,
        max_body_size=LARGEST_UPLOAD,
        openapi_extra={"requestBody": _BYTES},
    )
    async def upload_picture(
        caller: Caller,
        request: Request,
        doing: Doing,
    ) -> PictureDone:
        """Takes a JPEG, PNG, WebP or GIF, by its content, and keeps nothing but what it shows.

        One member's wait their turn, a few at a time; the next is answered 429.
        """
        await feed.readers.of(caller)
        with feed.studio.place(caller.member_id):
            ready = await feed.studio.develop(await request.body())
        large = await feed.files.store(_parts(ready.large), name=NAME, by=caller.member_id)
        small = await feed.files.store(
            _parts(ready.small), name=small_name(large.file_id), by=caller.member_id
        )
        command = UploadPicture(
            large.file_id, small.file_id, caller.member_id, ready.width, ready.height, datetime.now(UTC)
        )
        await feed.store.handle(pictures, command, doing)
        return PictureDone(id=large.file_id, width=ready.width, height=ready.height)

    @api.get("/pictures/{picture_id}")
    async def read_picture(
        caller: Caller,
        request: Request,
        picture_id: str,
        size: Annotated[Literal["small", "large"], Query()] = "large",
    ) -> Response:
        """To who may see its post; before it has one, to who uploaded it."""
        reader = await feed.readers.of(caller)
        large_id, small_id = await _files_of(feed, picture_id, reader)
        return await feed.files.answer(small_id if size == "small" else large_id, request, NAME)

    return api


async def _files_of(feed: Feed, picture_id: str, reader: Reader) -> tuple[str, str]:
    """The large file and the small one. Raises NotFound, also for what the reader may not see."""
    found = await feed.posts.find({"files": picture_id}, sort=[("_id", 1)], limit=1, reader=reader)
    erased = await feed.keys.erased([post.author_id for post in found])
    for shown in (picture for post in found if post.author_id not in erased for picture in post.pictures):
        if shown.file_id == picture_id:
            return shown.file_id, shown.small_id
    if ID.fullmatch(picture_id):
        upload, _ = await feed.store.state(pictures, f"picture-{picture_id}")
        mine = upload.uploaded_by == reader.member_id and upload.post_id is None
        if upload.picture is not None and mine:
            return upload.picture.file_id, upload.picture.small_id
    raise NotFound("no-such-picture", "There is no such picture.")


async def _parts(data: bytes) -> AsyncIterator[bytes]:
    yield data
