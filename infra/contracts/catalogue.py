"""Which events there are: every event class of `contracts` and of the services' domains, with its service."""

import importlib
import pkgutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from shared.kernel.events import Event, event_types


@dataclass(frozen=True, slots=True)
class Contract:
    """An event class and its producer; `public` ones may be read by the whole house."""

    service: str
    event: type[Event]

    @property
    def name(self) -> str:
        return self.event.__name__

    @property
    def public(self) -> bool:
        return self.event.topic is not None and not self.event.topic.endswith(".private")


def imported(classes: Iterable[type[Event]] | None = None) -> list[Contract]:
    """The contracts among the event classes that have been imported; those of tests are nobody's promise."""
    found = event_types().values() if classes is None else classes
    contracts = [
        Contract(service, event) for event in found if (service := _producer(event.__module__)) is not None
    ]
    return sorted(contracts, key=lambda contract: (contract.service, contract.name))


def _producer(module: str) -> str | None:
    match module.split("."):
        case ["contracts", service, *_]:
            return service
        case ["services", service, *rest] if "tests" not in rest:
            return service
    return None


def load(root: Path) -> list[Contract]:
    """Imports every module under `root` that may define events and gives their contracts."""
    for module in sorted(_modules(root)):
        importlib.import_module(module)
    return imported()


def _modules(root: Path) -> Iterable[str]:
    for found in pkgutil.iter_modules([str(root / "contracts")]):
        yield f"contracts.{found.name}"
    for domain in (root / "services").glob("*/domain*"):
        package = f"services.{domain.parent.name}.{domain.stem}"
        if domain.suffix == ".py":
            yield package
        elif domain.is_dir() and (domain / "__init__.py").exists():
            yield package
            yield from (f"{package}.{found.name}" for found in pkgutil.iter_modules([str(domain)]))
