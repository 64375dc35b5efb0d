"""Where the platform is that a command is about: the one of this home, or one that the environment names."""

from dataclasses import dataclass

from infra.cli import state
from infra.cli.faults import Fault
from infra.cli.home import SERVICES, Home
from infra.engines.settings import ENGINES

#: Engines by the variable that services read their address from.
_ENGINE_VARIABLES = {
    "mongo": "FIKARUM_MONGO_URI",
    "kafka": "FIKARUM_KAFKA",
    "opensearch": "FIKARUM_OPENSEARCH_URL",
}


@dataclass(frozen=True, slots=True)
class Places:
    """Addresses by part. `elsewhere`: it was not started here, so that nothing is known of its processes."""

    addresses: dict[str, str]
    elsewhere: bool

    @property
    def gateway(self) -> str:
        return self.addresses["gateway"]

    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to be one of the platform's own."""
        engines = {_ENGINE_VARIABLES[name]: self.addresses[name] for name in ENGINES}
        services = {
            f"FIKARUM_{name.upper()}_URL": self.addresses[name] for name in SERVICES if name in self.addresses
        }
        return engines | services


def places(home: Home) -> Places:
    """Raises Fault where nothing runs."""
    set_here = home.settings
    if set_here.gateway_url:
        named = {
            "gateway": set_here.gateway_url,
            "mongo": set_here.mongo_uri,
            "kafka": set_here.kafka,
            "opensearch": set_here.opensearch_url,
        }
        missing = [_ENGINE_VARIABLES[name] for name in ENGINES if not named[name]]
        if missing:
            raise Fault(f"FIKARUM_GATEWAY_URL is set, and so must be {', '.join(missing)}.")
        return Places({name: str(address) for name, address in named.items()}, elsewhere=True)
    now = state.read(home.state)
    if now is None or not now.alive:
        raise Fault(f"Nothing runs in {home.path}. Start it: fikarum up")
    return Places({name: part.address for name, part in now.parts.items()}, elsewhere=False)
