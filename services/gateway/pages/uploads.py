"""A form with files in it, as browsers send it: read within bounds, and each picture handed to the feed."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from services.gateway import forgery
from services.gateway.clients import LONG_TIMEOUT, refusal, said, whole
from services.gateway.pages.talk_answers import Uploaded
from services.gateway.pages.visit import MOST_FIELDS, Form, Visit
from services.gateway.reception import body_of
from services.gateway.view_models.talk import PictureCard
from shared.kernel.errors import Refused

#: Bytes of a form with its files: what the feed takes for a picture, and room for the text beside it.
MOST_BYTES = 21 * 1024 * 1024
_MULTIPART = "multipart/form-data"


@dataclass(frozen=True, slots=True)
class Sent:
    """`file` is the picture that was chosen, if one was."""

    form: Form
    file: bytes = b""


async def sent(visit: Visit, most: int = MOST_BYTES) -> Sent:
    """A form with or without files, of a page of ours. Raises Forbidden, TooLarge, Refused."""
    request = visit.request
    if not request.headers.get("content-type", "").lower().startswith(_MULTIPART):
        return Sent(await visit.form())
    forgery.check_origin(request)
    body = await body_of(request, most)
    read = await _parsed(request, body)
    visit.take(read.form)
    return read


async def _parsed(request: Request, body: bytes) -> Sent:
    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    try:
        parser = MultiPartParser(
            _as_bytes(request),
            stream(),
            max_files=4,
            max_fields=MOST_FIELDS,
            max_part_size=MOST_BYTES,
        )
        found = await parser.parse()
    except (MultiPartException, FormParserError, UnicodeDecodeError, KeyError) as error:
        raise Refused("unreadable-form", "This form cannot be read. Load the page again.") from error
    pairs: list[tuple[str, str]] = []
    file = b""
    for name, value in found.multi_items():
        if isinstance(value, UploadFile):
            file = await value.read() or file
            await value.close()
        else:
            pairs.append((_text(name), _text(value)))
    return Sent(Form.of(pairs), file)


def _as_bytes(request: Request) -> Headers:
    """What the parser goes by, told that each byte is a character: it would take broken text for another
    encoding by itself."""
    kind, options = parse_options_header(request.headers["content-type"])
    boundary = b'; boundary="%s"' % options[b"boundary"] if b"boundary" in options else b""
    return Headers(raw=[(b"content-type", kind + boundary + b"; charset=latin-1")])


def _text(characters: str) -> str:
    return characters.encode("latin-1").decode("utf-8", "surrogateescape")


async def upload(visit: Visit, file: bytes) -> PictureCard:
    """The picture, kept by the feed for a post that shows it soon. Raises Away, Refused."""
    clients, token = visit.reception.clients, visit.signed_in.held.token
    headers = {**said(token, None), "Content-Type": "application/octet-stream"}
    answer = await clients.stream(
        "feed", "POST", "/pictures", content=file, headers=headers, patience=LONG_TIMEOUT
    )
    found = await whole("feed", answer)
    if not answer.ok:
        raise refusal(found)
    picture = found.read(Uploaded)
    return PictureCard(picture.id, picture.width, picture.height)
