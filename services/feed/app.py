"""The feed service with the environment's settings: `uvicorn services.feed.app:app`."""

from services.feed.assembly import assemble
from shared.runtime.settings import Settings

service = assemble(Settings.from_env())
app = service.http
