"""The organisation as a tree of units. A unit stays where it was founded; it is people who move."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from contracts.identity import UnitFounded, UnitRenamed
from services.identity.domain.permissions import Acting, Permission, permit
from shared.kernel import text
from shared.kernel.decider import Decider
from shared.kernel.errors import Conflict, NotFound, Refused
from shared.kernel.events import Event

#: Levels of the tree. A member holds a token for each level above them.
DEEPEST = 12
LONGEST_NAME = 120
_ID = re.compile(r"[a-z0-9][a-z0-9\-]{0,59}")


@dataclass(frozen=True, slots=True)
class FoundUnit:
    """`above` leads from the top to the unit that this one is part of; empty for a top one."""

    acting: Acting
    unit_id: str
    name: str
    above: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RenameUnit:
    acting: Acting
    unit_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Unit:
    name: str = ""
    path: tuple[str, ...] = ()


def decide(command: FoundUnit | RenameUnit, unit: Unit) -> Sequence[Event]:
    permit(command.acting, Permission.SHAPE_UNITS)
    name = text.name(command.name, "name", LONGEST_NAME)
    match command:
        case FoundUnit():
            return _found(command, name, unit)
        case RenameUnit():
            if not unit.path:
                raise no_such_unit()
            return [] if name == unit.name else [UnitRenamed(unit_id=command.unit_id, name=name)]


def _found(command: FoundUnit, name: str, unit: Unit) -> Sequence[Event]:
    if not _ID.fullmatch(command.unit_id):
        raise Refused(
            "unit-id", "A unit's id has 1 to 60 small letters, digits and hyphens.", field="unit_id"
        )
    if unit.path:
        raise Conflict("unit-exists", "There is such a unit already.", field="unit_id")
    if len(command.above) >= DEEPEST:
        raise Refused(
            "unit-too-deep",
            "Units are at most {most} levels deep.",
            field="parent_id",
            params={"most": DEEPEST},
        )
    parent = command.above[-1] if command.above else None
    path = (*command.above, command.unit_id)
    return [UnitFounded(unit_id=command.unit_id, name=name, parent_id=parent, path=path)]


def evolve(unit: Unit, event: Event) -> Unit:
    match event:
        case UnitFounded():
            return Unit(event.name, event.path)
        case UnitRenamed():
            return Unit(event.name, unit.path)
    return unit


def no_such_unit() -> NotFound:
    return NotFound("no-such-unit", "There is no such unit.")


def stream(unit_id: str) -> str:
    return f"unit-{unit_id}"


units: Decider[FoundUnit | RenameUnit, Unit] = Decider(lambda c: stream(c.unit_id), Unit(), decide, evolve)
