"""Given, when, then: the rules of a service as sentences, with no engine in sight."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import pydantic_core

from shared.kernel.decider import Decider
from shared.kernel.errors import Refused
from shared.kernel.events import Event, Recorded
from shared.kernel.personal import Personal, Sealed

C = TypeVar("C")
S = TypeVar("S")

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@dataclass
class Specification(Generic[C, S]):
    """`Specification(decider).given(...).when(command).then(...)`."""

    decider: Decider[C, S]
    state: S | None = None
    command: C | None = None
    outcome: Sequence[Event] | Refused = field(default_factory=tuple)

    def given(self, *events: Event) -> "Specification[C, S]":
        return Specification(self.decider, self.decider.fold(events))

    def when(self, command: C) -> "Specification[C, S]":
        state = self.decider.initial if self.state is None else self.state
        try:
            outcome: Sequence[Event] | Refused = list(self.decider.decide(command, state))
        except Refused as refused:
            outcome = refused
        return Specification(self.decider, state, command, outcome)

    def then(self, *events: Event) -> None:
        assert self.outcome == list(events), f"{self.command} gave {self.outcome!r}"

    def refused(self, kind: type[Refused], code: str) -> None:
        assert type(self.outcome) is kind, f"{self.command} gave {self.outcome!r}"
        assert isinstance(self.outcome, Refused) and self.outcome.code == code, self.outcome


def recorded(
    event: Event,
    *,
    version: int | None = None,
    data: dict[str, Any] | None = None,
    stream: str = "thing-1",
    position: int = 1,
    at: datetime = NOON,
    recorded_at: datetime | None = None,
    by: str | None = "ann",
    imported: bool = False,
) -> Recorded:
    """`event` as the store would hold it; `version` and `data` make it one that an older image recorded."""
    event_id = f"{stream}:{position}"
    json = pydantic_core.to_json(data) if data is not None else _stored(event, event_id)
    return Recorded(
        id=event_id,
        type=type(event).__name__,
        schema_version=version or event.version,
        data=json.decode(),
        stream=stream,
        version=position,
        occurred_utc=_utc(at),
        recorded_utc=_utc(recorded_at or at),
        commit_id=f"commit-{event_id}",
        correlation_id="story",
        causation_id=None,
        by=by,
        imported=imported,
    )


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)


def _stored(event: Event, event_id: str) -> bytes:
    """As JSON; a plain personal field is replaced by a sealed value that nobody can open."""
    sealed = {}
    for name, subject in event.personal.items():
        value = getattr(event, name)
        if isinstance(value, Personal) and value.sealed is None:
            sealed[name] = Personal(
                sealed=Sealed(getattr(event, subject), event_id, name, b"no key opens this")
            )
    return event.model_copy(update=sealed).model_dump_json().encode()
