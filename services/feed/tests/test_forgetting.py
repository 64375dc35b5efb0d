"""Who is erased: nothing that they said, named or showed is in any answer, and their pictures are gone."""

import pytest

from contracts.identity import Role
from services.feed import projections
from services.feed.sweeping import Sweeper
from services.feed.tests.test_pictures import moving, photo
from services.feed.tests.world import House, Person
from shared.runtime.files import Files
from shared.runtime.ids import new_id
from shared.tests.company import refused
from shared.tests.eventually import eventually

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def newcomer(house: House) -> str:
    """An editor, who may announce."""
    member_id = f"gone{new_id()[-8:]}"
    await house.world.member(member_id, Person(roles=(Role.EDITOR,)))

    async def known() -> bool:
        return (await house.ask(member_id, "GET", "/feed")).status_code == 200

    await eventually(known)
    return member_id


async def uploaded(house: House, who: str, data: bytes = b"") -> str:
    answer = await house.ask(who, "POST", "/pictures", content=data or photo())
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_nothing_of_who_is_erased_is_in_any_answer_and_their_files_are_gone(house: House) -> None:
    member_id, topic = await newcomer(house), f"topic{new_id()[-8:]}"
    pictures = [await uploaded(house, member_id, moving("GIF")), await uploaded(house, member_id)]
    posted = await house.post(
        member_id,
        f"My words about #{topic} for @[bob]",
        kind="announcement",
        title="My heading",
        must_acknowledge=True,
        pictures=[{"id": pictures[0], "alt": "My cup"}],
    )
    post = f"/posts/{posted.json()['id']}"
    said = await house.comment(member_id, posted.json()["id"], "And to @[bob] again")
    paths = [post, f"{post}/comments", f"{post}/acknowledgements", "/feed", f"/feed?topic={topic}", "/topics"]
    traces = ("My ", topic, pictures[0])
    before = "".join([(await house.get("edi", path, said)).text for path in paths])
    assert all(trace in before for trace in traces) and before.count('"mentions":["bob"]') > 1
    files = house.service.database["uploads.files"]
    stored = [file["_id"] async for file in files.find({"metadata.by": member_id})]
    assert len(stored) == 5, "a third one where it moves"
    await house.world.erase(member_id)

    chunks = house.service.database["uploads.chunks"]

    async def forgotten() -> bool:
        """Files go first, then the erasure is taken in: whoever looks in between still reads the text."""
        left = await files.count_documents({"metadata.by": member_id})
        left += await chunks.count_documents({"files_id": {"$in": stored}})
        return not left and bool((await house.get("edi", post)).json()["erased"])

    await eventually(forgotten)
    for path in paths:
        answer = await house.get("edi", path)
        assert answer.status_code == 200, answer.text
        assert not [trace for trace in traces if trace in answer.text], path
    comments = (await house.get("edi", f"{post}/comments")).json()["items"]
    for shown in ((await house.get("edi", post)).json(), *comments):
        assert (shown["text"], shown["erased"], shown["mentions"]) == ("", True, [])
    for picture in pictures:
        refused(await house.ask("edi", "GET", f"/pictures/{picture}"), 404, "no-such-picture")


async def test_files_of_who_was_erased_long_ago_are_swept(house: House) -> None:
    """Also where this service did not hear of it, or an upload was under way."""
    member_id = await newcomer(house)
    picture = await uploaded(house, member_id)
    await house.post(member_id, "Look", pictures=[{"id": picture}])
    service = house.service
    files = Files(service.database, service.settings.limits)
    sweeper = Sweeper(files, service.store, service.views(projections.posts), service.keys)

    async def shown() -> bool:
        return picture in await sweeper.shown([picture])

    await eventually(shown)
    about = await service.database["uploads.files"].find_one({"_id": picture})
    assert about is not None
    await house.world.erase(member_id)

    async def gone() -> bool:
        return await service.database["uploads.files"].find_one({"_id": picture}) is None

    await eventually(gone)
    await service.database["uploads.files"].insert_one(about)

    async def hidden() -> bool:
        """The view hears of it by itself, and may be later than the files."""
        return not await shown()

    await eventually(hidden)
