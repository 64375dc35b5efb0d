"""An uploaded picture: made ready, then shown by one post of whoever uploaded it, or by none."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.feed import Picture
from shared.kernel.decider import Decider
from shared.kernel.errors import Conflict, NotFound
from shared.kernel.events import Event

#: How long after its upload a picture may be taken into a post: what no post has by then is swept later.
FRESH = timedelta(hours=12)
#: What a picture is called when it is saved.
NAME = "picture"


def small_name(picture_id: str) -> str:
    """What the small file is called, so that it leads back to its picture."""
    return f"{NAME}-{picture_id}-small"


def moving_name(picture_id: str) -> str:
    """What the file that moves is called."""
    return f"{NAME}-{picture_id}-moving"


def picture_of(file_id: str, name: str) -> str:
    """The picture that a stored file belongs to."""
    if name == NAME:
        return file_id
    return name.removeprefix(f"{NAME}-").removesuffix("-small").removesuffix("-moving")


class PictureUploaded(Event):
    """A picture was made ready; its files are stored, a third one where it moves. It stays in its stream:
    nobody else needs it."""

    picture_id: str
    small_id: str
    uploaded_by: str
    width: int
    height: int
    uploaded_at: datetime
    moving_id: str = ""


class PictureShown(Event):
    """A post shows the picture, for good."""

    picture_id: str
    post_id: str


@dataclass(frozen=True, slots=True)
class UploadPicture:
    picture_id: str
    small_id: str
    uploaded_by: str
    width: int
    height: int
    uploaded_at: datetime
    moving_id: str = ""


@dataclass(frozen=True, slots=True)
class ShowPicture:
    picture_id: str
    post_id: str
    by: str
    now: datetime


PictureCommand = UploadPicture | ShowPicture


@dataclass(frozen=True, slots=True)
class Upload:
    picture: Picture | None = None
    uploaded_by: str = ""
    uploaded_at: datetime | None = None
    post_id: str | None = None


def decide(command: PictureCommand, upload: Upload) -> Sequence[Event]:
    if isinstance(command, UploadPicture):
        if upload.picture is not None:
            raise Conflict("picture-exists", "This picture is here already.")
        return [
            PictureUploaded(
                picture_id=command.picture_id,
                small_id=command.small_id,
                uploaded_by=command.uploaded_by,
                width=command.width,
                height=command.height,
                uploaded_at=command.uploaded_at,
                moving_id=command.moving_id,
            )
        ]
    if upload.uploaded_at is None or upload.uploaded_by != command.by:
        raise NotFound("no-such-picture", "There is no such picture.", field="pictures")
    if upload.post_id is not None:
        raise Conflict("picture-shown", "Another post shows this picture. Upload it again.", field="pictures")
    if command.now - upload.uploaded_at >= FRESH:
        raise Conflict(
            "upload-too-old", "This upload is too old to be used. Upload it again.", field="pictures"
        )
    return [PictureShown(picture_id=command.picture_id, post_id=command.post_id)]


def evolve(upload: Upload, event: Event) -> Upload:
    match event:
        case PictureUploaded():
            picture = Picture(
                file_id=event.picture_id,
                small_id=event.small_id,
                width=event.width,
                height=event.height,
                moving_id=event.moving_id,
            )
            return Upload(picture, event.uploaded_by, event.uploaded_at)
        case PictureShown(post_id=post_id):
            return Upload(upload.picture, upload.uploaded_by, upload.uploaded_at, post_id)
    return upload


pictures: Decider[PictureCommand, Upload] = Decider(
    lambda command: f"picture-{command.picture_id}", Upload(), decide, evolve
)
