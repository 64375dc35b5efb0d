"""A change of membership counts at the next request, in every service, for reading and for writing."""

from services.gateway.tests.house import House
from services.gateway.tests.visitors import Gateway
from shared.tests.eventually import eventually


async def test_who_joined_writes_and_reads_at_once_and_who_was_removed_does_not(
    gateway: Gateway, house: House
) -> None:
    saga, jonas = house.members["saga"], house.members["jonas"]
    owner, joiner = gateway.client(**saga.bearer), gateway.client(**jonas.bearer)
    for number in range(3):
        new = {"name": f"Secret garden {number}", "purpose": "Roses", "openness": "closed", "language": "en"}
        group = (await owner.post("/api/v1/groups", json=new)).json()["id"]
        first = await owner.post("/api/v1/posts", json={"text": "Welcome among the roses", "group_id": group})
        assert first.status_code == 201, first.text
        feed = f"/api/v1/feed?group_id={group}"
        assert not (await joiner.get(feed)).json().get("items")
        await owner.post(f"/api/v1/groups/{group}/invitations", json={"member_id": jonas.member_id})

        async def invited(wanted: str = group) -> bool:
            found = (await joiner.get("/api/v1/invitations")).json()["items"]
            return wanted in str(found)

        await eventually(invited)
        accepted = await joiner.put(f"/api/v1/invitations/{group}")
        assert accepted.is_success, accepted.text
        written = await joiner.post("/api/v1/posts", json={"text": "Thank you", "group_id": group})
        assert written.status_code == 201, written.text
        seen = [item["text"] for item in (await joiner.get(feed)).json()["items"]]
        assert seen == ["Thank you", "Welcome among the roses"]
        left = await joiner.delete(f"/api/v1/groups/{group}/members/{jonas.member_id}")
        assert left.is_success, left.text
        assert not (await joiner.get(feed)).json().get("items")
        refused = await joiner.post("/api/v1/posts", json={"text": "One more", "group_id": group})
        assert refused.status_code in (403, 404), refused.text
