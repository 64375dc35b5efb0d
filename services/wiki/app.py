"""The wiki service with the environment's settings: `uvicorn services.wiki.app:app`."""

from services.wiki.assembly import assemble
from shared.runtime.settings import Settings

service = assemble(Settings.from_env())
app = service.http
