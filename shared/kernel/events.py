"""What an event is, how it is recorded, and how an old one is read today."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, NamedTuple, TypeVar

import pydantic_core
from pydantic import BaseModel, ConfigDict

from shared.kernel.errors import Undecodable
from shared.kernel.personal import Personal, Subject

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]

_registry: dict[str, "type[Event]"] = {}
_upcasters: dict[tuple[str, int], Upcaster] = {}

E = TypeVar("E", bound="Event")


class Event(BaseModel):
    """A fact. Subclasses are named in the past tense, subject first; a name is used once in the whole house.

    `topic` says where it is sent: `<service>.events` (public), `<service>.private`, or None for what stays
    in its stream. A field that is added later is optional, so unknown fields are ignored when reading.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    topic: ClassVar[str | None] = None
    version: ClassVar[int] = 1
    personal: ClassVar[dict[str, str]] = {}

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        cls.personal = dict(_personal_fields(cls))
        known = _registry.get(cls.__name__)
        if known is not None and (known.__module__, known.__qualname__) != (
            cls.__module__,
            cls.__qualname__,
        ):
            raise TypeError(f"two events are named {cls.__name__}: {known.__module__} and {cls.__module__}")
        _registry[cls.__name__] = cls


def _personal_fields(cls: type[Event]) -> Iterator[tuple[str, str]]:
    for name, field in cls.model_fields.items():
        subjects = [mark.field for mark in field.metadata if isinstance(mark, Subject)]
        if subjects:
            if subjects[0] not in cls.model_fields:
                raise TypeError(
                    f"{cls.__name__}.{name} is about {subjects[0]}, which the event does not hold"
                )
            yield name, subjects[0]
        elif field.annotation is Personal:
            raise TypeError(f"{cls.__name__}.{name} is personal but does not say of whom: add Subject(...)")


def event_types() -> dict[str, type[Event]]:
    """Every event class that has been imported, by name."""
    return dict(_registry)


def upcaster(event: type[Event], *, from_version: int) -> Callable[[Upcaster], Upcaster]:
    """Registers the step from `from_version` to the next one; a chain has a step for every version before
    today's."""

    def register(step: Upcaster) -> Upcaster:
        if (event.__name__, from_version) in _upcasters:
            raise TypeError(f"two upcasters for {event.__name__} version {from_version}")
        _upcasters[event.__name__, from_version] = step
        return step

    return register


def has_upcaster(event: type[Event], from_version: int) -> bool:
    return (event.__name__, from_version) in _upcasters


def decode(name: str, version: int, data: str | bytes) -> Event:
    """The event as today's class, upcast where it was recorded by an older one. Raises Undecodable."""
    try:
        cls = _registry[name]
        if version == cls.version:
            event: Event = cls.__pydantic_validator__.validate_json(data)
            return event
        return cls.model_validate(_upcast(cls, version, pydantic_core.from_json(data)))
    except (ValueError, KeyError, TypeError) as error:
        if name not in _registry:
            raise Undecodable(f"unknown event {name}") from None
        raise Undecodable(f"{name} version {version}: {error}") from error


def _upcast(cls: type[Event], version: int, data: dict[str, Any]) -> dict[str, Any]:
    if version > cls.version:
        raise Undecodable(
            f"{cls.__name__} version {version} is newer than this image, which knows {cls.version}"
        )
    for step in range(version, cls.version):
        convert = _upcasters.get((cls.__name__, step))
        if convert is None:
            raise Undecodable(f"{cls.__name__}: no upcaster from version {step}")
        data = convert(data)
    return data


class Recorded(NamedTuple):
    """An event as the store holds it and as Kafka carries it: its data (JSON) and what is known about it.

    `occurred_at` is said by the command; `recorded_at` is the store's and never runs back within a stream.
    `version` is the position in the stream, counted from 1. A tuple, and its times kept as they are stored
    (UTC, without saying so), because replays make a hundred thousand a second.
    """

    id: str
    type: str
    schema_version: int
    data: str | bytes
    stream: str
    version: int
    occurred_utc: datetime
    recorded_utc: datetime
    commit_id: str
    correlation_id: str
    causation_id: str | None
    by: str | None
    imported: bool

    @property
    def occurred_at(self) -> datetime:
        """When it happened, as the command said."""
        return self.occurred_utc.replace(tzinfo=UTC)

    @property
    def recorded_at(self) -> datetime:
        """When the store took it."""
        return self.recorded_utc.replace(tzinfo=UTC)

    def event(self) -> Event:
        """Raises Undecodable; a personal field that was sealed for another event is refused here, once for
        all readers."""
        event = decode(self.type, self.schema_version, self.data)
        if event.personal:
            self._check_seals(event)
        return event

    def _check_seals(self, event: Event) -> None:
        for field in event.personal:
            value = getattr(event, field)
            sealed = value.sealed if value is not None else None
            if sealed is not None and (sealed.event_id, sealed.field) != (self.id, field):
                raise Undecodable(f"{self.type}.{field} was sealed for another event or field")


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a command knows about its own circumstances, kept with every event it causes."""

    by: str | None
    correlation_id: str
    occurred_at: datetime | None = None
    causation_id: str | None = None
    imported: bool = False
