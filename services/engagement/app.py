"""The engagement service with the environment's settings: `uvicorn services.engagement.app:app`."""

from services.engagement.assembly import assemble
from shared.runtime.settings import Settings

service = assemble(Settings.from_env())
app = service.http
