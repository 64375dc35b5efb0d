"""Every change of an event that would break a promise is refused, with a sentence that says what to do."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from infra.contracts.check import check, released
from infra.contracts.tests.shop import Shop
from infra.contracts.tree import Tree, read
from infra.contracts.write import write_all
from shared.kernel.personal import Personal, Subject

Ordered = Callable[..., Shop]


def test_events_that_did_not_change_keep_their_promises(ordered: Ordered) -> None:
    assert ordered().refusals() == []


def test_an_optional_field_may_be_added_and_the_old_example_still_reads(ordered: Ordered) -> None:
    shop = ordered(colour=(str | None, None))
    assert {refusal.code for refusal in shop.refusals()} == {"drift"}
    before = read(shop.tree.example("shop", "OrderPlaced", 1))
    shop.commit()
    assert read(shop.tree.example("shop", "OrderPlaced", 1)) == before


def test_drift_is_refused_until_the_files_are_written_again(ordered: Ordered) -> None:
    shop = ordered(colour=(str | None, None))
    (first, *_) = shop.refusals()
    assert first.code == "drift" and "Run `make contracts`" in first.sentence
    shop.commit()
    assert shop.refusals() == []


def test_a_generated_file_edited_by_hand_is_refused(ordered: Ordered) -> None:
    shop = ordered()
    shop.tree.asyncapi.write_text(shop.tree.asyncapi.read_text().replace("3.0.0", "3.0.1"))
    assert [refusal.code for refusal in shop.refusals()] == ["drift"]


def test_a_removed_field_is_refused(ordered: Ordered) -> None:
    shop = ordered(without=("note",))
    assert shop.codes() == {"field-removed"}
    (refusal,) = (r for r in shop.refusals() if r.code == "field-removed")
    assert "note is gone. Keep the field" in refusal.sentence and "@upcaster" in refusal.sentence


def test_a_new_required_field_is_refused(ordered: Ordered) -> None:
    shop = ordered(colour=str)
    assert shop.codes() == {"field-required"}
    (refusal,) = (r for r in shop.refusals() if r.code == "field-required")
    assert "colour is new and required" in refusal.sentence and "give it a default" in refusal.sentence


def test_a_field_that_becomes_required_is_refused(ordered: Ordered) -> None:
    assert ordered(note=str).codes() == {"field-required"}


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(str, id="another type"),
        pytest.param(int | None, id="null admitted"),
        pytest.param(float, id="another number"),
        pytest.param(list[int], id="a list of it"),
        pytest.param(Annotated[int, Field(ge=1)], id="a limit added"),
        pytest.param(Literal[1, 2], id="an enumeration instead"),
    ],
)
def test_a_retyped_field_is_refused(ordered: Ordered, kind: Any) -> None:
    shop = ordered(pieces=kind)
    assert shop.codes() == {"field-retyped"}
    (refusal,) = (r for r in shop.refusals() if r.code == "field-retyped")
    assert refusal.sentence.startswith("pieces ") and "raise the event's `version`" in refusal.sentence


def test_a_changed_default_is_refused_because_what_lacks_the_field_would_read_differently(
    ordered: Ordered,
) -> None:
    assert ordered(note=(str, "none")).codes() == {"field-retyped"}


def test_a_personal_field_stays_personal_and_its_persons(ordered: Ordered) -> None:
    assert ordered(address=(str | None, None)).codes() == {"field-retyped"}
    other = Annotated[Personal | None, Subject("order_id")]
    assert ordered(address=(other, None)).codes() == {"field-retyped"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(Literal["red", "blue"], Literal["red", "green"], id="an enumeration narrowed"),
        pytest.param(Literal["red", "blue"], str, id="an enumeration dropped"),
        pytest.param(Annotated[str, Field(max_length=9)], Annotated[str, Field(max_length=5)], id="shorter"),
        pytest.param(list[str], list[int], id="other items"),
        pytest.param(list[str], set[str], id="no longer repeatable"),
        pytest.param(dict[str, int], dict[str, str], id="other values"),
        pytest.param(str | int, str, id="an alternative dropped"),
        pytest.param(str | int | bool, str | int, id="one of three alternatives dropped"),
        pytest.param(tuple[str, int], tuple[str, str], id="another pair"),
    ],
)
def test_a_narrowed_field_is_refused(shop: Shop, before: Any, after: Any) -> None:
    shop.event("ItemPainted", {"colour": before})
    shop.commit()
    shop.event("ItemPainted", {"colour": after})
    assert shop.codes() == {"field-retyped"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(Literal["red"], Literal["red", "green"], id="an enumeration grown"),
        pytest.param(Annotated[str, Field(max_length=5)], Annotated[str, Field(max_length=9)], id="longer"),
        pytest.param(Annotated[int, Field(ge=1)], int, id="a limit dropped"),
        pytest.param(str, (str, "red"), id="no longer required"),
    ],
)
def test_a_field_may_loosen(shop: Shop, before: Any, after: Any) -> None:
    shop.event("ItemPainted", {"colour": before})
    shop.commit()
    shop.event("ItemPainted", {"colour": after})
    assert shop.codes() == set()


def test_what_lies_within_a_field_is_kept_as_well(shop: Shop) -> None:
    class Line(BaseModel):
        item: str
        pieces: int

    shop.event("BasketFilled", {"lines": list[Line]})
    shop.commit()

    class Other(BaseModel):
        item: str
        colour: str

    Other.__name__ = "Line"
    shop.event("BasketFilled", {"lines": list[Other]})
    assert shop.codes() == {"field-removed", "field-required"}
    assert any("lines[].pieces is gone" in refusal.sentence for refusal in shop.refusals())


def test_an_event_that_holds_itself_is_compared_without_end(shop: Shop) -> None:
    class Branch(BaseModel):
        name: str
        below: list["Branch"] = []

    Branch.model_rebuild(_types_namespace={"Branch": Branch})
    shop.event("TreeGrown", {"root": Branch})
    assert write_all(shop.tree, shop.contracts)[1] != []
    assert shop.codes() == set()


def test_a_new_version_without_an_upcaster_is_refused(ordered: Ordered) -> None:
    shop = ordered(version=2, colour=str)
    assert shop.codes() == {"no-upcaster"}
    assert "@upcaster(OrderPlaced, from_version=1)" in str(shop.refusals()[0])


def test_a_chain_with_a_missing_link_is_refused(ordered: Ordered) -> None:
    shop = ordered(version=2, colour=str)
    shop.upcast("OrderPlaced", 1, lambda data: {"colour": "red", **data})
    shop.commit()
    ordered(version=3, colour=str, size=int)
    assert shop.codes() == {"no-upcaster"}
    shop.upcast("OrderPlaced", 2, lambda data: {"size": 1, **data})
    shop.commit()
    assert shop.tree.versions("schemas") == {("shop", "OrderPlaced"): {1, 2, 3}}


def test_a_new_version_may_break_everything_as_long_as_the_old_example_reads(ordered: Ordered) -> None:
    shop = ordered(version=2, without=("note", "pieces"), colour=str)
    shop.upcast("OrderPlaced", 1, lambda data: {"colour": data["note"], **data})
    shop.commit()
    assert shop.refusals() == []


def test_an_example_that_no_longer_reads_is_refused(ordered: Ordered) -> None:
    shop = ordered(version=2, colour=str)
    shop.upcast("OrderPlaced", 1, lambda data: {"colour": data["paint"], **data})
    assert "example-unreadable" in {refusal.code for refusal in shop.refusals()}
    assert any("Mend the class or its upcasters, never the example" in str(r) for r in shop.refusals())


def test_an_example_with_a_field_that_its_schema_lost_is_refused(ordered: Ordered) -> None:
    shop = ordered(without=("note",))
    shop.tree.schema("shop", "OrderPlaced", 1).unlink()
    write_all(shop.tree, shop.contracts)
    assert [refusal.code for refusal in shop.refusals()] == ["example-unfit"]


def test_a_deleted_example_is_refused(ordered: Ordered) -> None:
    shop = ordered()
    shop.tree.example("shop", "OrderPlaced", 1).unlink()
    assert [refusal.code for refusal in shop.refusals()] == ["example-missing"]


def test_a_deleted_schema_of_an_old_version_is_refused(ordered: Ordered) -> None:
    shop = ordered(version=2, colour=str)
    shop.upcast("OrderPlaced", 1, lambda data: {"colour": "red", **data})
    shop.commit()
    shop.tree.schema("shop", "OrderPlaced", 1).unlink()
    assert shop.codes() == {"schema-deleted"}
    assert "Restore it from git" in next(str(r) for r in shop.refusals() if r.code == "schema-deleted")


def test_a_version_that_goes_back_is_refused(ordered: Ordered) -> None:
    shop = ordered(version=2, colour=str)
    shop.upcast("OrderPlaced", 1, lambda data: {"colour": "red", **data})
    shop.commit()
    ordered()
    assert shop.codes() == {"version-went-back"}


def test_a_class_that_was_deleted_is_refused(ordered: Ordered) -> None:
    shop = ordered()
    shop.event("OrderCancelled", {"order_id": str})
    shop.commit()
    shop.forget("OrderCancelled")
    assert shop.codes() == {"event-gone"}
    assert "Keep the class" in str(shop.refusals()[0])


def test_a_changed_topic_is_refused(ordered: Ordered) -> None:
    shop = ordered(topic="shop.private")
    assert "topic-changed" in shop.codes()
    assert any("What was sent stays where it is" in str(refusal) for refusal in shop.refusals())


@pytest.mark.parametrize(
    ("module", "topic"),
    [
        ("contracts.shop", "wiki.events"),
        ("contracts.shop", None),
        ("services.shop.domain", "shop.events"),
        ("services.shop.domain", "wiki.private"),
    ],
)
def test_an_event_is_sent_only_where_its_place_allows(shop: Shop, module: str, topic: str | None) -> None:
    shop.event("OrderPlaced", {"order_id": str}, module=module, topic=topic)
    assert shop.codes() == {"wrong-topic"}


def test_what_stays_in_its_stream_or_goes_to_the_private_topic_is_promised_too(shop: Shop) -> None:
    shop.event("PasswordChanged", {"hash": str}, module="services.shop.domain", topic=None)
    shop.event("BasketFilled", {"item": str}, module="services.shop.domain", topic="shop.private")
    shop.commit()
    asyncapi = read(shop.tree.asyncapi)
    assert asyncapi is not None and asyncapi["channels"] == {}
    shop.event("PasswordChanged", {}, module="services.shop.domain", topic=None)
    assert shop.codes() == {"field-removed"}


def test_what_was_released_is_kept_even_if_every_file_was_rewritten(ordered: Ordered, tmp_path: Path) -> None:
    shop = ordered()
    shop.event("OrderCancelled", {"order_id": str})
    shop.commit()
    earlier = Tree(tmp_path / "released")
    shutil.copytree(shop.tree.folder, earlier.folder)
    assert released(shop.tree, earlier) == []
    shutil.rmtree(shop.tree.folder)
    shop.forget("OrderCancelled")
    ordered(without=("note",)).commit()
    found = {refusal.code for refusal in released(shop.tree, earlier)}
    assert found == {"field-removed", "schema-deleted", "example-rewritten"}


def test_refusals_name_the_file_and_what_to_do(ordered: Ordered) -> None:
    (first, *_) = check(ordered(pieces=str).tree, ordered(pieces=str).contracts)
    assert str(first).startswith(
        "contracts/schemas/shop/OrderPlaced.v1.json: pieces was integer and is string."
    )
