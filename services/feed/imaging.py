"""A picture made ready: decoded within bounds, turned upright, and encoded anew, so that nothing but what it
shows is kept: no place, no camera, no comment, nothing behind its end.
"""

import asyncio
import io
import struct
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from PIL import Image, ImageCms, ImageOps

from shared.kernel.errors import Refused, TooLarge, TooMany
from shared.runtime.settings import Limits

#: Bytes of an upload, and pixels that are ever decoded: a few kilobytes can claim to be gigabytes.
LARGEST_UPLOAD = 20 * 1024 * 1024
MOST_PIXELS = 60_000_000
LONGEST_SIDE = 20_000
#: The longest sides of what is kept, in pixels.
LARGE = 2_048
SMALL = 640
#: Pictures decoded at one time in a process: each may take some hundred megabytes for a moment.
AT_ONCE = 1

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
_JPEG_QUALITY = 85
_WEBP_QUALITY = 82


@dataclass(frozen=True, slots=True)
class Ready:
    """A picture in two sizes. Width and height are the large one's."""

    large: bytes
    small: bytes
    width: int
    height: int


class Studio:
    """Makes pictures ready beside the event loop, one at a time, for a bounded number of waiting members."""

    def __init__(self, limits: Limits) -> None:
        self._free = asyncio.Semaphore(AT_ONCE)
        self._most, self._most_of_one = limits.pictures_at_once, limits.pictures_at_once_of_one
        self._here: Counter[str] = Counter()

    @contextmanager
    def place(self, member_id: str) -> Iterator[None]:
        """Taken before the bytes are read, so that those who wait hold none. Raises TooMany."""
        if self._here[member_id] >= self._most_of_one:
            raise TooMany(
                "too-many-pictures-of-yours",
                "{most} of your pictures are being made ready. Send the next one when they are there.",
                params={"most": self._most_of_one},
            )
        if self._here.total() >= self._most:
            raise TooMany(
                "pictures-busy", "Many pictures are being made ready right now. Try again in a moment."
            )
        self._here[member_id] += 1
        try:
            yield
        finally:
            self._here[member_id] -= 1
            if not self._here[member_id]:
                del self._here[member_id]

    async def develop(self, data: bytes) -> Ready:
        """Raises Refused for what is no picture, and TooLarge for one of too many pixels."""
        async with self._free:
            return await asyncio.to_thread(developed, data)


def developed(data: bytes) -> Ready:
    """What it is decides its content: names and announced types are never asked."""
    with warnings.catch_warnings():
        # Pillow warns of what is refused below anyway.
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
                _check_size(opened)
                return _ready(opened)
        except Image.DecompressionBombError:
            raise _too_large() from None
        except (
            OSError,
            SyntaxError,
            ArithmeticError,
            ValueError,
            LookupError,
            TypeError,
            struct.error,
        ) as error:
            # What a decoder raises on broken data is as manifold as broken data.
            raise Refused(
                "not-a-picture",
                "This is no picture that can be read. Choose a JPEG, PNG, WebP or GIF file.",
                field="file",
            ) from error


def _check_size(image: Image.Image) -> None:
    """Read from the header, before anything is decoded."""
    width, height = image.size
    if width * height > MOST_PIXELS or max(width, height) > LONGEST_SIDE:
        raise _too_large()


def _too_large() -> TooLarge:
    return TooLarge(
        "picture-too-large",
        "A picture has at most {most} million pixels. Make it smaller.",
        field="file",
        params={"most": MOST_PIXELS // 1_000_000},
    )


def _ready(opened: Image.Image) -> Ready:
    photo = opened.format == "JPEG"
    # Decodes a large JPEG at a half, a quarter or an eighth of its size.
    opened.draft("RGB", (LARGE, LARGE))
    opened.seek(0)
    opened.load()
    image = _upright(opened)
    image.thumbnail((LARGE, LARGE), Image.Resampling.LANCZOS, reducing_gap=2.0)
    large = _encoded(image, photo)
    width, height = image.size
    image.thumbnail((SMALL, SMALL), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return Ready(large, _encoded(image, photo), width, height)


def _upright(opened: Image.Image) -> Image.Image:
    """Turned as its camera was held, its colours as all screens understand them, and nothing but pixels."""
    image = _eight_bits(ImageOps.exif_transpose(opened))
    transparent = image.has_transparency_data
    profile = image.info.get("icc_profile")
    plain = image.convert("RGBA" if transparent else "RGB")
    if profile and image.mode in ("RGB", "RGBA"):
        plain = _in_common_colours(plain, profile)
    plain.info.clear()
    return plain


def _eight_bits(image: Image.Image) -> Image.Image:
    """Greys of 16 bits, which would be cut off at the 255th of 65,536 rather than brought near."""
    if not image.mode.startswith("I"):
        return image
    return image.convert("I").point(lambda grey: grey * (1 / 257)).convert("L")


def _in_common_colours(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"))
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        # A broken profile says nothing; the pixels are shown as they are.
        return image
    return image if converted is None else converted


def _encoded(image: Image.Image, photo: bool) -> bytes:
    image.info.clear()
    out = io.BytesIO()
    if photo:
        image.save(out, "JPEG", quality=_JPEG_QUALITY, optimize=True, progressive=True)
    else:
        image.save(out, "WEBP", quality=_WEBP_QUALITY, method=3)
    return out.getvalue()
