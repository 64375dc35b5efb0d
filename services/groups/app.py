"""The groups service with the environment's settings: `uvicorn services.groups.app:app`."""

from services.groups.assembly import assemble
from shared.runtime.settings import Settings

service = assemble(Settings.from_env())
app = service.http
