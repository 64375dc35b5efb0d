"""The service of the proofs as a process."""

from shared.runtime.settings import Settings
from shared.tests.assembly import assemble

service = assemble(Settings.from_env())
app = service.http
