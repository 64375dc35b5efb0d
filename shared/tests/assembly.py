"""The service of the proofs, assembled as every service is."""

from typing import Any

from shared.kernel.projection import Projection
from shared.runtime.auth import Verifier
from shared.runtime.service import Service
from shared.runtime.settings import Settings
from shared.tests.walls import ANSWERS, SERVICE, TOKENS_FROM, WALLS


def assemble(
    settings: Settings,
    walls: Projection[Any] = WALLS,
    *,
    module: str = "shared.tests.app",
    verifier: Verifier | None = None,
) -> Service:
    """With `walls` at another fold version, `module` names the app that its builder assembles."""
    return Service(
        SERVICE,
        settings,
        module=module,
        projections=[walls],
        tokens_from=TOKENS_FROM,
        reactions=[ANSWERS],
        verifier=verifier,
    )
