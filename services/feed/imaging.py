"""A picture made ready: decoded within bounds, turned upright, and encoded anew, so that nothing but what it
shows is kept: no place, no camera, no comment, nothing behind its end. One that moves is kept twice: as a
still, which is what pages show, and as what moves.
"""

import asyncio
import io
import math
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
#: Of one that moves: pixels that are decoded, over all of its frames, and how many frames those may be: what
#: people send each other to laugh at, or a dozen seconds of a screen. One upload takes some seven seconds of
#: a core at most, half of them for these; the next ones wait.
MOST_MOVING_PIXELS = 120_000_000
MOST_FRAMES = 500
#: What is kept of it: its longest side, pixels over all frames, and bytes. The first two make it smaller, as
#: every picture that is too large: it is encoding that costs, a second for some eight million pixels.
MOVING = 640
MOST_KEPT_PIXELS = 24_000_000
MOST_MOVING_BYTES = 8 * 1024 * 1024
#: Pictures decoded at one time in a process: each may take some hundred megabytes for a moment.
AT_ONCE = 1

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
_JPEG_QUALITY = 85
_WEBP_QUALITY = 82
_MOVE = ("GIF", "WEBP", "PNG")
#: The least work that looks well. A frame is kept as what changed since the one before; whole ones now and
#: then serve seeking, which nobody does here, and made a recorded screen six times as large.
_MOVING_AS = {"quality": 70, "method": 1, "kmin": 30, "kmax": 60, "loop": 0}
#: Milliseconds of a frame. No time, or next to none, is what browsers take it for.
_NO_TIME = 10
_USUAL_TIME = 100
_LONGEST_TIME = 60_000


@dataclass(frozen=True, slots=True)
class Ready:
    """A picture in two sizes. Width and height are the large one's. `moving` is empty where it does not."""

    large: bytes
    small: bytes
    width: int
    height: int
    moving: bytes = b""


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
        """Raises Refused for what is no picture, and TooLarge for one of too many pixels or frames."""
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
            EOFError,
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
    if max(width, height) > LONGEST_SIDE:
        raise TooLarge(
            "picture-too-long",
            "A picture is at most {most} points wide and high. Make it smaller.",
            field="file",
            params={"most": LONGEST_SIDE},
        )
    if width * height > MOST_PIXELS:
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
    return Ready(large, _encoded(image, photo), width, height, _moving(opened))


def _moving(opened: Image.Image) -> bytes:
    """All of its frames as one small moving picture; nothing where there is one frame only.

    What exceeds a limit is refused rather than kept as a still: uploading and publishing are one step, so
    whoever meant something that moves would hear of it when all could see a frame of it that tells nothing.
    """
    # Telephones put a second picture behind the first in a JPEG, which is no frame of it.
    count = getattr(opened, "n_frames", 1) if opened.format in _MOVE else 1
    if count == 1:
        return b""
    _check_length(count, opened.size)
    frames, times = _frames(opened, count)
    if len(frames) == 1:
        return b""
    out = io.BytesIO()
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:], duration=times, **_MOVING_AS)
    if out.tell() > MOST_MOVING_BYTES:
        raise TooLarge(
            "moving-picture-too-heavy",
            "Made ready, this moving picture has more than {most} MB. Make it shorter or smaller, or send "
            "one frame of it.",
            field="file",
            params={"most": MOST_MOVING_BYTES // 1024**2},
        )
    return out.getvalue()


def _frames(opened: Image.Image, count: int) -> tuple[list[Image.Image], list[float]]:
    """Upright, all of one size, and the milliseconds of each."""
    # An animated PNG may begin with what is shown where nothing moves, and is no part of it.
    first = 1 if opened.info.get("default_image") else 0
    frames: list[Image.Image] = []
    times: list[float] = []
    for at in range(first, count):
        opened.seek(at)
        # A GIF may grow with a later frame.
        _check_length(count, opened.size)
        opened.load()
        times.append(_time(opened.info.get("duration")))
        frame = _upright(opened)
        size = frames[0].size if frames else _moving_size(frame.size, count)
        # A third of the work of Lanczos, and nobody looks at one frame for long.
        frames.append(frame.resize(size, Image.Resampling.HAMMING))
    return frames, times


def _check_length(count: int, size: tuple[int, int]) -> None:
    if count > MOST_FRAMES or count * size[0] * size[1] > MOST_MOVING_PIXELS:
        raise TooLarge(
            "moving-picture-too-long",
            "A moving picture has at most {frames} frames, and {most} million pixels in all of them. Make it "
            "shorter or smaller, or send one frame of it.",
            field="file",
            params={"frames": MOST_FRAMES, "most": MOST_MOVING_PIXELS // 1_000_000},
        )


def _moving_size(size: tuple[int, int], count: int) -> tuple[int, int]:
    scale = min(1, MOVING / max(size), math.sqrt(MOST_KEPT_PIXELS / (size[0] * size[1] * count)))
    return max(1, int(size[0] * scale)), max(1, int(size[1] * scale))


def _time(said: float | None) -> float:
    return _USUAL_TIME if said is None or said <= _NO_TIME else min(said, _LONGEST_TIME)


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
