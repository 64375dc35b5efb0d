"""What is generated: schemas, one payload per version as the store would record it, one AsyncAPI document."""

import json
import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from jsonschema import Draft7Validator, Draft202012Validator
from pydantic import BaseModel, Field

from infra.contracts import asyncapi
from infra.contracts.catalogue import imported
from infra.contracts.check import breaking
from infra.contracts.specification import SCHEMA
from infra.contracts.tests.shop import Shop
from infra.contracts.tree import read
from infra.contracts.write import write_all
from shared.kernel.events import Occasion, decode
from shared.kernel.personal import Personal, Subject
from shared.runtime import codec


class Line(BaseModel):
    item: str
    pieces: int


ORDER: dict[str, Any] = {
    "order_id": str,
    "buyer_id": str,
    "state": Literal["placed", "sent"],
    "lines": list[Line],
    "totals": dict[str, float],
    "due": date,
    "ordered_at": datetime,
    "pair": tuple[str, int],
    "pieces": Annotated[int, Field(ge=3)],
    "code": Annotated[str, Field(min_length=12, max_length=12)],
    "gift": (bool, False),
    "note": (str | None, None),
    "address": (Annotated[Personal | None, Subject("buyer_id")], None),
}


def test_an_example_holds_every_field_and_reads_back_as_it_was_recorded(shop: Shop) -> None:
    shop.event("OrderPlaced", ORDER)
    shop.commit()
    recorded = shop.tree.example("shop", "OrderPlaced", 1).read_text()
    assert set(json.loads(recorded)) == set(ORDER)
    assert json.loads(decode("OrderPlaced", 1, recorded).model_dump_json()) == json.loads(recorded)


def test_writing_again_changes_nothing(shop: Shop) -> None:
    shop.event("OrderPlaced", ORDER)
    assert len(write_all(shop.tree, shop.contracts)[0]) == 3
    assert write_all(shop.tree, shop.contracts) == ([], [])


def test_an_example_once_written_is_never_rewritten(shop: Shop) -> None:
    shop.event("OrderPlaced", ORDER)
    shop.commit()
    example = shop.tree.example("shop", "OrderPlaced", 1)
    mine = example.read_text().replace("order-1", "order-77")
    example.write_text(mine)
    write_all(shop.tree, shop.contracts)
    assert example.read_text() == mine


def test_an_event_that_nobody_can_make_up_asks_for_a_payload_by_hand(shop: Shop) -> None:
    shop.event("OrderPlaced", {"number": Annotated[str, Field(pattern=r"[A-Z]{2}-\d{6}")]})
    _, by_hand = write_all(shop.tree, shop.contracts)
    assert by_hand == [
        r"contracts/examples/shop/OrderPlaced.v1.json: write one payload by hand "
        r"(number follows the pattern [A-Z]{2}-\d{6})"
    ]


def test_schemas_are_json_schema_2020_12_with_topic_and_personal_fields(shop: Shop) -> None:
    shop.event("OrderPlaced", ORDER)
    shop.commit()
    schema = read(shop.tree.schema("shop", "OrderPlaced", 1))
    assert schema is not None
    Draft202012Validator.check_schema(schema)
    assert schema["x-topic"] == "shop.events"
    assert schema["properties"]["address"]["x-personal-of"] == "buyer_id"


def test_the_classes_of_tests_are_nobodys_promise(shop: Shop) -> None:
    shop.event("OrderPlaced", ORDER, module="services.shop.tests.test_domain")
    shop.event("OrderSent", ORDER, module="services.shop.domain")
    shop.event("OrderTorn", ORDER, module="shared.tests.test_store")
    found = {contract.name: contract.service for contract in imported(shop.classes.values())}
    assert found == {"OrderSent": "shop"}


def test_every_version_that_a_reader_may_meet_is_a_message_of_its_topic(shop: Shop) -> None:
    shop.event("OrderPlaced", {"order_id": str})
    shop.commit()
    shop.event("OrderPlaced", {"order_id": str, "size": int}, version=2)
    shop.upcast("OrderPlaced", 1, lambda data: {"size": 1, **data})
    shop.commit()
    document = _asyncapi(shop)
    assert set(document["channels"]["shop.events"]["messages"]) == {"OrderPlaced.v1", "OrderPlaced.v2"}
    for key, message in document["components"]["messages"].items():
        assert (shop.tree.folder / message["payload"]["schema"]["$ref"]).exists(), key


def test_references_lead_somewhere(shop: Shop) -> None:
    shop.event("OrderPlaced", ORDER)
    shop.commit()
    document = _asyncapi(shop)
    for reference in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document)):
        found: Any = document
        for part in reference.split("/"):
            found = found[part]


def test_the_document_is_asyncapi_3(shop: Shop) -> None:
    shop.event("OrderPlaced", ORDER)
    shop.commit()
    assert SCHEMA.exists(), "the AsyncAPI schema is not installed: run `make assets`"
    Draft7Validator(json.loads(SCHEMA.read_text())).validate(_asyncapi(shop))


def test_the_headers_are_the_ones_that_are_sent(shop: Shop) -> None:
    event = shop.event("OrderPlaced", {"order_id": str}).model_validate({"order_id": "1"})
    occasion = Occasion(by="ann", correlation_id="story", causation_id="cause", imported=True)
    now = datetime(2026, 3, 2, tzinfo=UTC)
    commit = codec.encode_commit(
        "order-1", 1, [("event-1", event)], occasion, commit_id="commit-1", recorded_at=now
    )
    (record,) = codec.outgoing(commit.document, "shop")
    sent = {name for name, _ in record.headers}
    assert sent == {*asyncapi.HEADERS, *asyncapi.OPTIONAL_HEADERS}
    plain = codec.encode_commit(
        "order-1", 1, [("event-1", event)], Occasion(None, "story"), commit_id="c", recorded_at=now
    )
    assert {name for name, _ in codec.outgoing(plain.document, "shop")[0].headers} == set(asyncapi.HEADERS)


def test_nothing_is_broken_where_nothing_is_committed_yet(shop: Shop) -> None:
    shop.event("OrderPlaced", ORDER)
    assert breaking(shop.tree, shop.contracts) == []


def _asyncapi(shop: Shop) -> dict[str, Any]:
    document = read(shop.tree.asyncapi)
    assert document is not None
    return document
