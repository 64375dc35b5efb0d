"""Whether coaches are told names, country by country. Where nobody has decided, and where it is not known in
which country somebody is, they are not."""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.engagement import CountryPolicyChanged, Naming
from shared.kernel import text
from shared.kernel.decider import Decider
from shared.kernel.errors import Refused
from shared.kernel.events import Event
from shared.kernel.personal import Personal

MOST_REASON = 500


@dataclass(frozen=True, slots=True)
class ChangePolicy:
    country: str
    naming: Naming
    reason: str
    decided_by: str


def policy_stream(country: str) -> str:
    return f"policy-{country}"


def decide(command: ChangePolicy, naming: Naming) -> Sequence[Event]:
    """A reason is asked for whichever way it goes; deciding the same again changes nothing."""
    reason = text.one_line(command.reason, "reason", MOST_REASON)
    if not reason:
        raise Refused("reason-needed", "Say why: everybody in the company can read it.", field="reason")
    if command.naming is naming:
        return []
    return [
        CountryPolicyChanged(
            country=command.country,
            old=naming,
            new=command.naming,
            decided_by=command.decided_by,
            reason=Personal(plain=reason),
        )
    ]


def evolve(naming: Naming, event: Event) -> Naming:
    match event:
        case CountryPolicyChanged(new=new):
            return new
    return naming


policies: Decider[ChangePolicy, Naming] = Decider(
    lambda c: policy_stream(c.country), Naming.AGGREGATES_ONLY, decide, evolve
)
