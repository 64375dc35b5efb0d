"""A shop whose events change under our hands: throwaway event classes and a throwaway tree."""

from pathlib import Path
from typing import Any, ClassVar, cast

from infra.contracts.catalogue import Contract
from infra.contracts.check import Refusal, breaking, check
from infra.contracts.tree import Tree
from infra.contracts.write import write_all
from shared.kernel import events
from shared.kernel.events import Event, Upcaster, upcaster

Fields = dict[str, Any]


class Shop:
    """The events of a service `shop` and what is committed about them."""

    def __init__(self, folder: Path) -> None:
        self.tree = Tree(folder)
        self.classes: dict[str, type[Event]] = {}

    def event(
        self,
        name: str,
        fields: Fields,
        *,
        version: int = 1,
        topic: str | None = "shop.events",
        module: str = "contracts.shop",
    ) -> type[Event]:
        """Defines an event, or defines it anew. A field is a type, or a type and its default."""
        namespace: dict[str, Any] = {"__module__": module, "__annotations__": {}}
        namespace["__annotations__"] |= {"topic": ClassVar[str | None], "version": ClassVar[int]}
        namespace |= {"topic": topic, "version": version}
        for field, kind in fields.items():
            annotation, *default = kind if isinstance(kind, tuple) else (kind,)
            namespace["__annotations__"][field] = annotation
            if default:
                namespace[field] = default[0]
        make: Any = type(Event)
        made = cast(type[Event], make(name, (Event,), namespace))
        self.classes[name] = made
        return made

    def forget(self, name: str) -> None:
        """As if the class had been deleted from the code."""
        del self.classes[name]
        events._registry.pop(name)

    def upcast(self, name: str, from_version: int, step: Upcaster) -> None:
        upcaster(self.classes[name], from_version=from_version)(step)

    @property
    def contracts(self) -> list[Contract]:
        return [Contract("shop", self.classes[name]) for name in sorted(self.classes)]

    def commit(self) -> None:
        """Writes what is generated; the shop must be in order before it."""
        assert breaking(self.tree, self.contracts) == []
        assert write_all(self.tree, self.contracts)[1] == []
        assert check(self.tree, self.contracts) == []

    def refusals(self) -> list[Refusal]:
        return check(self.tree, self.contracts)

    def codes(self) -> set[str]:
        """What would still be refused after `make contracts`, which does not mend it."""
        return {refusal.code for refusal in breaking(self.tree, self.contracts)}
