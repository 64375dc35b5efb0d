"""What a file is, found in its content, and how a browser may treat it. Its name decides nothing."""

import codecs
import re
import unicodedata
from urllib.parse import quote

import filetype  # type: ignore[import-untyped]

#: So many first bytes tell what a file is.
HEAD_BYTES = 8_192
OPAQUE = "application/octet-stream"
TEXT = "text/plain; charset=utf-8"
LONGEST_NAME = 200

#: Shown within a page; everything else is offered for saving. None of these can run a script in a browser.
SHOWN = frozenset(
    {
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/webp",
        "image/avif",
        "application/pdf",
        "video/mp4",
        "video/webm",
        "audio/mpeg",
        "audio/ogg",
        "audio/mp4",
        TEXT,
    }
)
_NEVER_TEXT = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_UNFIT_FOR_NAMES = re.compile(
    r'[\x00-\x1f\x7f-\x9f\ud800-\udfff\u200e\u200f\u202a-\u202e\u2066-\u2069/\\:*?"<>|]'
)


def media_type(head: bytes) -> str:
    """The type of content that begins so. HTML and SVG are text here: shown as written, not run."""
    kind = filetype.guess(head[:HEAD_BYTES])
    if kind is not None:
        return str(kind.mime)
    return TEXT if _is_text(head[:HEAD_BYTES]) else OPAQUE


def _is_text(head: bytes) -> bool:
    if _NEVER_TEXT.search(head):
        return False
    try:
        # Not final: the head may end within a character.
        codecs.getincrementaldecoder("utf-8")().decode(head, final=False)
    except UnicodeDecodeError:
        return False
    return True


def safe_name(name: str) -> str:
    """A name to save a file under anywhere: one part, no control or direction characters, not too long."""
    plain = _UNFIT_FOR_NAMES.sub(
        "_", unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    )
    plain = plain.strip(" .")
    if len(plain) > LONGEST_NAME:
        stem, dot, ending = plain.rpartition(".")
        keep = f".{ending}" if dot and len(ending) <= 10 else ""
        plain = (stem if keep else plain)[: LONGEST_NAME - len(keep)] + keep
    return plain or "file"


def disposition(name: str, kind: str) -> str:
    """The Content-Disposition (RFC 6266): inline only for what cannot run, the name in both spellings."""
    how = "inline" if kind in SHOWN else "attachment"
    name = safe_name(name)
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().replace("%", "_")
    return f"{how}; filename=\"{plain or 'file'}\"; filename*=UTF-8''{quote(name, safe='')}"
