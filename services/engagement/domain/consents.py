"""Whether a member lets what they open and read be counted. Who has not decided does not."""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.engagement import ConsentChanged
from shared.kernel.decider import Decider
from shared.kernel.events import Event


@dataclass(frozen=True, slots=True)
class ChangeConsent:
    member_id: str
    counted: bool


@dataclass(frozen=True, slots=True)
class Consent:
    counted: bool = False
    decided: bool = False


def consent_stream(member_id: str) -> str:
    return f"consent-{member_id}"


def decide(command: ChangeConsent, consent: Consent) -> Sequence[Event]:
    """A first no is a decision too; saying the same again changes nothing."""
    if consent.decided and consent.counted is command.counted:
        return []
    return [ConsentChanged(member_id=command.member_id, counted=command.counted)]


def evolve(consent: Consent, event: Event) -> Consent:
    match event:
        case ConsentChanged(counted=counted):
            return Consent(counted, decided=True)
    return consent


consents: Decider[ChangeConsent, Consent] = Decider(
    lambda c: consent_stream(c.member_id), Consent(), decide, evolve
)
