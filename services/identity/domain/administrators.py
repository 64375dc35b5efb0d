"""Administrators are let go one after another: each time, whoever does it is one who stays."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from contracts.identity import Role
from services.identity.domain.members import ChangeRoles, DeactivateMember, Member, Standing
from shared.kernel.decider import Decider
from shared.kernel.events import Event

STREAM = "administrators"


class AdministratorLetGo(Event):
    """The member administers no more. What it is for is its place in the stream: two who let each other go at
    once want the same one."""

    topic: ClassVar[str | None] = None

    member_id: str


@dataclass(frozen=True, slots=True)
class LetGo:
    member_id: str


def decide(command: LetGo, _: None) -> Sequence[Event]:
    return [AdministratorLetGo(member_id=command.member_id)]


def lets_go(command: ChangeRoles | DeactivateMember, member: Member) -> bool:
    """Whether the member is an administrator, and would be none any more."""
    keeps = isinstance(command, ChangeRoles) and Role.ADMIN in command.roles
    return member.standing is Standing.ACTIVE and Role.ADMIN in member.roles and not keeps


administrators: Decider[LetGo, None] = Decider(lambda _: STREAM, None, decide, lambda *_: None)
