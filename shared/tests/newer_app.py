"""The next release of the service of the proofs: its walls are folded anew."""

from shared.runtime.settings import Settings
from shared.tests.assembly import assemble
from shared.tests.walls import WALLS_IN_CAPITALS

service = assemble(Settings.from_env(), WALLS_IN_CAPITALS, module="shared.tests.newer_app")
app = service.http
