"""Pictures: what is kept of them, which are refused, and who may see them."""

import asyncio
import io
import struct
import zlib
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PIL import ExifTags, Image, ImageSequence
from pymongo.errors import AutoReconnect

from contracts.groups import Openness
from services.feed import imaging, projections, sweeping
from services.feed.domain.pictures import small_name
from services.feed.imaging import Studio, developed
from services.feed.sweeping import Sweeper
from services.feed.tests.world import House
from shared.kernel.errors import NotFound, Refused, TooLarge, TooMany
from shared.runtime.files import Files
from shared.runtime.generations import Generation
from shared.runtime.ids import new_id
from shared.runtime.settings import Limits
from shared.runtime.views import Views
from shared.tests.company import refused
from shared.tests.eventually import eventually


def sweeper_of(house: House, files: Files) -> Sweeper:
    service = house.service
    return Sweeper(files, service.store, service.views(projections.posts), service.keys)


def photo(width: int = 800, height: int = 600, kind: str = "JPEG", **how: Any) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(out, kind, **how)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def test_a_picture_of_many_greys_keeps_them() -> None:
    out = io.BytesIO()
    greys = Image.new("I;16", (256, 64))
    greys.putdata([column * 257 for _ in range(64) for column in range(256)])
    greys.save(out, "PNG")
    shown = opened(developed(out.getvalue()).large).convert("L")
    assert [shown.getpixel((column, 32)) for column in (8, 128, 248)] == pytest.approx([8, 128, 248], abs=6)


def test_nothing_that_the_camera_wrote_is_kept() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "CameraMaker"
    exif[ExifTags.Base.Orientation] = 6
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (59.0, 19.0, 46.0)
    taken = photo(exif=exif, comment=b"at home") + b"PK trailing archive"
    assert b"CameraMaker" in taken
    ready = developed(taken)
    assert (ready.width, ready.height) == (600, 800), "turned as the camera was held"
    for data in (ready.large, ready.small):
        for trace in (b"CameraMaker", b"Exif", b"at home", b"trailing"):
            assert trace not in data
        kept = opened(data)
        assert not kept.getexif() and set(kept.info) <= {
            "jfif",
            "jfif_version",
            "jfif_unit",
            "jfif_density",
            "progressive",
            "progression",
        }


def test_one_member_cannot_fill_the_studio() -> None:
    limits = Limits()
    studio = Studio(limits)
    with ExitStack() as taken:
        for _ in range(limits.pictures_at_once_of_one):
            taken.enter_context(studio.place("ann"))
        with pytest.raises(TooMany) as own, studio.place("ann"):
            pass
        for n in range(limits.pictures_at_once - limits.pictures_at_once_of_one):
            taken.enter_context(studio.place(f"member-{n}"))
        with pytest.raises(TooMany) as full, studio.place("bob"):
            pass
    with studio.place("ann"), studio.place("bob"):
        pass
    assert (own.value.code, full.value.code) == ("too-many-pictures-of-yours", "pictures-busy")


@pytest.mark.asyncio(loop_scope="package")
async def test_who_sends_too_many_pictures_at_once_is_told_to_wait(house: House) -> None:
    most = house.service.settings.limits.pictures_at_once_of_one
    large = photo(4_000, 3_000)
    sent = [house.ask("ann", "POST", "/pictures", content=large) for _ in range(most + 3)]
    answers = await asyncio.gather(*sent, house.ask("bob", "POST", "/pictures", content=photo()))
    refusals = [answer for answer in answers if answer.status_code == 429]
    assert [answer.status_code for answer in answers].count(201) == most + 1 and len(refusals) == 3
    assert answers[-1].status_code == 201, "others are not refused for it"
    for refusal in refusals:
        refused(refusal, 429, "too-many-pictures-of-yours")
        assert int(refusal.headers["Retry-After"]) > 0
    assert (await house.ask("ann", "POST", "/pictures", content=photo())).status_code == 201


def test_a_picture_is_kept_in_two_bounded_sizes() -> None:
    ready = developed(photo(5_000, 2_500))
    assert opened(ready.large).size == (2_048, 1_024) == (ready.width, ready.height)
    assert opened(ready.small).size == (640, 320)
    little = developed(photo(30, 20, "PNG"))
    assert opened(little.large).size == opened(little.small).size == (30, 20)


def test_transparency_is_kept() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (20, 20), (255, 0, 0, 0)).save(out, "PNG")
    kept = opened(developed(out.getvalue()).large)
    assert kept.mode == "RGBA" and kept.getpixel((0, 0))[3] == 0  # type: ignore[index]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_what_it_is_decides_its_content(kind: str) -> None:
    assert developed(photo(kind=kind)).width == 800


FIRST, NEXT, LAST = (200, 60, 40), (30, 90, 200), (40, 160, 60)


def moving(kind: str, width: int = 80, height: int = 60, frames: int = 3, **how: Any) -> bytes:
    """A red frame, then blue and green ones."""
    rest = [Image.new("RGB", (width, height), (NEXT, LAST)[at % 2]) for at in range(frames - 1)]
    out = io.BytesIO()
    said: dict[str, Any] = {"duration": 80, "loop": 3, **how}
    Image.new("RGB", (width, height), FIRST).save(out, kind, save_all=True, append_images=rest, **said)
    return out.getvalue()


def colour(picture: Image.Image) -> tuple[int, ...]:
    return tuple(picture.convert("RGB").getpixel((picture.width // 2, picture.height // 2)))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_what_moves_is_kept_beside_its_first_frame(kind: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "at home"
    traces: dict[str, dict[str, Any]] = {
        "PNG": {"exif": exif},
        "WEBP": {"xmp": b"<at home/>"},
        "GIF": {"comment": b"at home"},
    }
    sent = moving(kind, **traces[kind])
    assert b"at home" in sent
    ready = developed(sent)
    for still in (ready.large, ready.small):
        assert getattr(opened(still), "n_frames", 1) == 1
        assert colour(opened(still)) == pytest.approx(FIRST, abs=12)
    kept = opened(ready.moving)
    assert (kept.format, kept.size, kept.n_frames) == ("WEBP", (80, 60), 3)  # type: ignore[attr-defined]
    colours, times = list[tuple[int, ...]](), list[int]()
    for frame in ImageSequence.Iterator(kept):
        frame.load()
        colours.append(colour(frame))
        times.append(frame.info["duration"])
    for seen, drawn in zip(colours, (FIRST, NEXT, LAST), strict=True):
        assert seen == pytest.approx(drawn, abs=12)
    assert times == [80, 80, 80]
    assert b"at home" not in ready.moving and not kept.getexif() and "xmp" not in kept.info


def test_what_does_not_move_is_kept_as_a_still_alone() -> None:
    behind = io.BytesIO()
    first, second = opened(photo()), opened(photo(400, 300))
    first.save(behind, "MPO", save_all=True, append_images=[second])
    hidden = moving("PNG", frames=2, default_image=True)
    assert opened(hidden).n_frames == 2  # type: ignore[attr-defined]
    for data in (photo(), photo(kind="GIF"), photo(kind="WEBP"), behind.getvalue(), hidden):
        assert developed(data).moving == b""


def test_what_moves_is_made_smaller_the_longer_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert opened(developed(moving("GIF", 1_200, 900)).moving).size == (640, 480)
    monkeypatch.setattr(imaging, "MOST_KEPT_PIXELS", 3 * 320 * 240)
    assert opened(developed(moving("GIF", 1_200, 900)).moving).size == (320, 240)
    assert opened(developed(moving("GIF", 1_200, 1)).moving).size == (640, 1)


def test_a_frame_without_a_time_is_shown_as_browsers_show_it() -> None:
    kept = opened(developed(moving("GIF", duration=[0, 10, 600_000])).moving)
    times = list[int]()
    for frame in ImageSequence.Iterator(kept):
        frame.load()
        times.append(frame.info["duration"])
    assert times == [100, 100, 60_000]


@pytest.mark.parametrize("limit", ["MOST_FRAMES", "MOST_MOVING_PIXELS", "MOST_MOVING_BYTES"])
def test_what_moves_too_long_is_refused_and_not_shown_as_a_still(
    monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    """Just within the limit it is taken."""
    sent = moving("GIF", frames=4)
    reached = {
        "MOST_FRAMES": 4,
        "MOST_MOVING_PIXELS": 4 * 80 * 60,
        "MOST_MOVING_BYTES": len(developed(sent).moving),
    }
    monkeypatch.setattr(imaging, limit, reached[limit])
    assert developed(sent).moving
    monkeypatch.setattr(imaging, limit, reached[limit] - 1)
    with pytest.raises(TooLarge) as refusal:
        developed(sent)
    heavy = limit == "MOST_MOVING_BYTES"
    assert refusal.value.code == ("moving-picture-too-heavy" if heavy else "moving-picture-too-long")
    assert refusal.value.field == "file"


def gif_of_many(frames: int) -> bytes:
    """A picture of one point, so often that only counting costs anything."""
    screen = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return screen + frame * frames + b";"


def test_frames_beyond_number_are_refused_before_they_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[int] = []
    monkeypatch.setattr(imaging, "_frames", lambda _opened, count: decoded.append(count))
    with pytest.raises(TooLarge):
        developed(gif_of_many(imaging.MOST_FRAMES + 1))
    assert not decoded


def test_a_picture_that_grows_while_it_moves_is_measured_anew() -> None:
    """Its first frame is a point, and a later one as large as can be said."""
    grown = b"," + struct.pack("<HHHHB", 0, 0, 7_000, 7_000, 0) + b"\x02\x02\x44\x01\x00"
    with pytest.raises(TooLarge):
        developed(gif_of_many(3)[:-1] + grown + b";")


def png_that_claims(width: int, height: int) -> bytes:
    """A few bytes that say how large they are, and hold next to nothing."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 1_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("size", "code"),
    [
        ((30_000, 30_000), "picture-too-large"),
        ((60_000, 1), "picture-too-long"),
        ((1, 60_000), "picture-too-long"),
        ((10_000, 10_000), "picture-too-large"),
    ],
)
def test_a_decompression_bomb_is_refused_before_it_is_decoded_and_says_why(
    size: tuple[int, int], code: str
) -> None:
    with pytest.raises(TooLarge) as refusal:
        developed(png_that_claims(*size))
    assert refusal.value.code == code


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"%PDF-1.7 not a picture",
        b"\xff\xd8\xff\xe0" + b"\0" * 200,
        photo()[:400],
        png_that_claims(300, 300),
        photo(kind="BMP"),
        photo(kind="TIFF"),
    ],
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(Refused) as refusal:
        developed(data)
    assert refusal.value.code == "not-a-picture"


@pytest.mark.asyncio(loop_scope="package")
class TestOverHttp:
    async def upload(self, house: House, who: str = "ann", data: bytes = b"") -> str:
        lying = {"Content-Type": "text/html"}
        answer = await house.ask(who, "POST", "/pictures", content=data or photo(), headers=lying)
        assert answer.status_code == 201, answer.text
        assert (answer.json()["width"], answer.json()["height"]) == (800, 600)
        return str(answer.json()["id"])

    async def test_a_picture_has_the_audience_of_its_post(self, house: House) -> None:
        picture = await self.upload(house)
        refused(await house.ask("bob", "GET", f"/pictures/{picture}"), 404, "no-such-picture")
        assert (await house.ask("ann", "GET", f"/pictures/{picture}")).status_code == 200
        group_id = await house.world.group(Openness.CLOSED, "ann", "gil")
        await house.knows("gil", group_id)
        shown = [{"id": picture, "alt": "A cup"}]
        posted = await house.post("ann", "", group_id=group_id, pictures=shown)
        post = (await house.get("gil", f"/posts/{posted.json()['id']}", posted)).json()
        about = {"id": picture, "width": 800, "height": 600, "alt": "A cup", "moving": False}
        assert post["pictures"] == [about]
        for size in ("large", "small"):
            answer = await house.get("gil", f"/pictures/{picture}", params={"size": size})
            assert answer.headers["content-type"] == "image/jpeg"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert opened(answer.content).size[0] == {"large": 800, "small": 640}[size]
        refused(await house.ask("bob", "GET", f"/pictures/{picture}"), 404, "no-such-picture")
        refused(await house.ask("bob", "GET", f"/pictures/{new_id()}"), 404, "no-such-picture")
        gone = await house.ask("ann", "DELETE", f"/posts/{posted.json()['id']}")
        assert gone.status_code == 200
        await house.get("ann", "/feed", gone)
        refused(await house.ask("gil", "GET", f"/pictures/{picture}"), 404, "no-such-picture")
        refused(await house.ask("ann", "GET", f"/pictures/{picture}"), 404, "no-such-picture")

    async def test_what_moves_goes_wherever_its_picture_goes(self, house: House) -> None:
        picture = await self.upload(house, data=moving("GIF", 800, 600))
        files = Files(house.service.database, house.service.settings.limits)
        plays, small = f"/pictures/{picture}?size=moving", f"/pictures/{picture}?size=small"
        assert (await house.ask("ann", "GET", plays)).status_code == 200
        refused(await house.ask("bob", "GET", plays), 404, "no-such-picture")
        group_id = await house.world.group(Openness.CLOSED, "ann", "gil")
        await house.knows("gil", group_id)
        posted = await house.post("ann", "", group_id=group_id, pictures=[{"id": picture, "alt": "A dance"}])
        path = f"/posts/{posted.json()['id']}"
        assert (await house.get("gil", path, posted)).json()["pictures"][0]["moving"]
        refused(await house.ask("bob", "GET", plays), 404, "no-such-picture")
        seen = await house.get("gil", plays)
        assert seen.headers["content-type"] == "image/webp"
        assert opened(seen.content).n_frames == 3  # type: ignore[attr-defined]
        assert getattr(opened((await house.get("gil", small)).content), "n_frames", 1) == 1
        stored = [file["_id"] async for file in house.service.database["uploads.files"].find({})]
        all_three = {one for one in stored if picture in (one, *(await files.about(one)).name.split("-"))}
        assert len(all_three) == 3
        behind = Views(projections.posts, house.service.database)
        behind.serve(Generation("feed.posts", projections.posts.version, 99, {}))
        for views in (house.service.views(projections.posts), behind):
            sweeper = Sweeper(files, house.service.store, views, house.service.keys)
            assert all_three <= set(await sweeper.shown(stored))
        await house.ask("ann", "DELETE", path)
        for file in all_three:
            with pytest.raises(NotFound):
                await files.about(file)

    async def test_a_still_does_not_move(self, house: House) -> None:
        picture = await self.upload(house)
        still = await house.ask("ann", "GET", f"/pictures/{picture}?size=moving")
        refused(still, 404, "picture-does-not-move")

    async def test_a_picture_is_shown_once_and_by_its_uploader(self, house: House) -> None:
        picture = await self.upload(house)
        asked = {"text": "Look", "pictures": [{"id": picture}]}
        refused(await house.ask("bob", "POST", "/posts", json=asked), 404, "no-such-picture")
        twice = {"text": "Look", "pictures": [{"id": picture}, {"id": picture}]}
        refused(await house.ask("ann", "POST", "/posts", json=twice), 422, "picture-twice")
        assert (await house.ask("ann", "POST", "/posts", json=asked)).status_code == 201
        refused(await house.ask("ann", "POST", "/posts", json=asked), 409, "picture-shown")

    async def test_bytes_are_swept_once_no_post_shows_them(self, house: House) -> None:
        kept, orphan = await self.upload(house), await self.upload(house)
        posted = await house.post("ann", "Keep this", pictures=[{"id": kept}])
        post = (await house.get("ann", f"/posts/{posted.json()['id']}", posted)).json()
        assert post["pictures"][0]["id"] == kept
        service = house.service
        files = Files(service.database, service.settings.limits)
        stored = [file["_id"] async for file in service.database["uploads.files"].find({})]
        behind = Views(projections.posts, service.database)
        behind.serve(Generation("feed.posts", projections.posts.version, 99, {}))
        for views in (service.views(projections.posts), behind):
            shown = set(await Sweeper(files, service.store, views, service.keys).shown(stored))
            assert kept in shown and orphan not in shown
            small = [file for file in shown if (await files.about(file)).name == small_name(kept)]
            assert len(small) == 1, "also where the view is behind"
        await house.ask("ann", "DELETE", f"/posts/{posted.json()['id']}")
        with pytest.raises(NotFound):
            await files.about(kept)

    async def test_bytes_that_cannot_be_deleted_with_their_post_are_swept(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        picture = await self.upload(house)
        posted = await house.post("ann", "Not for long", pictures=[{"id": picture}])
        path, service = f"/posts/{posted.json()['id']}", house.service
        await house.get("ann", path, posted)

        async def away(*_: object) -> None:
            raise AutoReconnect("the engine restarts")

        with monkeypatch.context() as patched:
            patched.setattr(Files, "delete", away)
            gone = await house.ask("ann", "DELETE", path)
        assert gone.status_code == 200, gone.text
        await house.get("ann", "/feed", gone)
        later = Files(
            service.database, service.settings.limits, clock=lambda: datetime.now(UTC) + timedelta(days=2)
        )
        assert await later.about(picture)
        await later.sweep(sweeper_of(house, later).shown)
        with pytest.raises(NotFound):
            await later.about(picture)

    async def test_a_sweep_that_fails_is_made_good_by_the_next(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        files, swept = Files(house.service.database, house.service.settings.limits), list[str]()

        async def sweep(_: object) -> int:
            swept.append("again" if swept else "first")
            if len(swept) == 1:
                raise AutoReconnect("the engine restarts")
            return 0

        monkeypatch.setattr(sweeping, "EVERY", 0.01)
        monkeypatch.setattr(files, "sweep", sweep)
        sweeper = sweeper_of(house, files)
        await sweeper.start()

        async def again() -> bool:
            return "again" in swept

        await eventually(again, within=10)
        await sweeper.stop()

    async def test_uploads_are_bounded_and_answered_in_words(self, house: House) -> None:
        large = await house.ask("ann", "POST", "/pictures", content=b"x" * (imaging.LARGEST_UPLOAD + 1))
        assert large.status_code == 413 and large.headers["content-type"] == "application/problem+json"
        assert refused(await house.ask("ann", "POST", "/pictures", content=b"words"), 422, "not-a-picture")[
            "field"
        ]
        refused(await house.ask("ann", "POST", "/pictures", content=b""), 422, "not-a-picture")
