"""The identity service, assembled from the environment's settings."""

from services.identity.assembly import assemble
from services.identity.settings import IdentitySettings

identity = assemble(IdentitySettings.from_env())
service = identity.service
app = service.http
