"""The engagement service, assembled: the only module that knows both its rules and its machinery."""

from contracts.tokens import CHANGES_TOKENS
from shared.runtime.auth import Verifier
from shared.runtime.service import Service
from shared.runtime.settings import Settings


def assemble(settings: Settings, verifier: Verifier | None = None) -> Service:
    return Service(
        "engagement",
        settings,
        module="services.engagement.app",
        tokens_from=CHANGES_TOKENS,
        verifier=verifier,
    )
