"""Pictures over HTTP: taken in, made ready, and shown to who may see their post."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response, status

from contracts.feed import Picture
from services.feed.api.access import ID, Feed
from services.feed.api.answers import PictureDone
from services.feed.domain.pictures import NAME, UploadPicture, moving_name, pictures, small_name
from services.feed.imaging import LARGEST_UPLOAD
from shared.kernel.audience import Reader
from shared.kernel.errors import NotFound
from shared.runtime.auth import Actor
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
        """Takes a JPEG, PNG, WebP or GIF, by its content, and keeps nothing but what it shows. Of one that
        moves it keeps a still and, smaller, what moves.

        One member's wait their turn, a few at a time; the next is answered 429.
        """
        await feed.readers.of(caller)
        with feed.studio.place(caller.member_id):
            ready = await feed.studio.develop(await request.body())
        large = await _kept(feed, ready.large, NAME, caller)
        small = await _kept(feed, ready.small, small_name(large), caller)
        moving = await _kept(feed, ready.moving, moving_name(large), caller) if ready.moving else ""
        command = UploadPicture(
            large, small, caller.member_id, ready.width, ready.height, datetime.now(UTC), moving
        )
        await feed.store.handle(pictures, command, doing)
        return PictureDone(id=large, width=ready.width, height=ready.height, moving=bool(moving))

    @api.get("/pictures/{picture_id}")
    async def read_picture(
        caller: Caller,
        request: Request,
        picture_id: str,
        size: Annotated[Literal["small", "large", "moving"], Query()] = "large",
    ) -> Response:
        """To who may see its post; before it has one, to who uploaded it. `moving`: of one that moves."""
        reader = await feed.readers.of(caller)
        picture = await _picture(feed, picture_id, reader)
        files = {"small": picture.small_id, "large": picture.file_id, "moving": picture.moving_id}
        if not files[size]:
            raise NotFound("picture-does-not-move", "This picture does not move.")
        return await feed.files.answer(files[size], request, NAME)

    return api


async def _kept(feed: Feed, data: bytes, name: str, caller: Actor) -> str:
    """The id of its file."""
    return (await feed.files.store(_parts(data), name=name, by=caller.member_id)).file_id


async def _picture(feed: Feed, picture_id: str, reader: Reader) -> Picture:
    """Raises NotFound, also for what the reader may not see."""
    found = await feed.posts.find({"files": picture_id}, sort=[("_id", 1)], limit=1, reader=reader)
    erased = await feed.keys.erased([post.author_id for post in found])
    for shown in (picture for post in found if post.author_id not in erased for picture in post.pictures):
        if shown.file_id == picture_id:
            return shown
    if ID.fullmatch(picture_id):
        upload, _ = await feed.store.state(pictures, f"picture-{picture_id}")
        mine = upload.uploaded_by == reader.member_id and upload.post_id is None
        if upload.picture is not None and mine:
            return upload.picture
    raise NotFound("no-such-picture", "There is no such picture.")


async def _parts(data: bytes) -> AsyncIterator[bytes]:
    yield data
