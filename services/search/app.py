"""The search service with the environment's settings: `uvicorn services.search.app:app`."""

from services.search.assembly import assemble
from shared.runtime.settings import Settings

service = assemble(Settings.from_env())
app = service.http
