"""The shop, in a temporary folder and with the registries of events as they were before."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest

from infra.contracts.tests.shop import Fields, Shop
from shared.kernel import events
from shared.kernel.personal import Personal, Subject


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setattr(events, "_registry", dict(events._registry))
    monkeypatch.setattr(events, "_upcasters", dict(events._upcasters))
    yield Shop(tmp_path / "contracts")


@pytest.fixture
def ordered(shop: Shop) -> Callable[..., Shop]:
    """A shop with one committed event, and the means to change it: `ordered(field=..., without=...)`."""
    fields: Fields = {
        "order_id": str,
        "buyer_id": str,
        "pieces": int,
        "note": (str, ""),
        "address": (Annotated[Personal | None, Subject("buyer_id")], None),
    }
    shop.event("OrderPlaced", fields)
    shop.commit()

    def change(
        *, without: tuple[str, ...] = (), version: int = 1, topic: str = "shop.events", **new: Any
    ) -> Shop:
        changed = {name: kind for name, kind in fields.items() if name not in without} | new
        shop.event("OrderPlaced", changed, version=version, topic=topic)
        return shop

    return change
