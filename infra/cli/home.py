"""The folder of one platform: its data, logs, ports and secrets. Two folders are two platforms."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from infra.cli.faults import Fault
from infra.engines.ports import HOST, ports_of
from infra.engines.settings import REPOSITORY

S = TypeVar("S", bound=BaseSettings)
SERVICES = ("identity", "feed", "groups", "wiki", "search", "engagement", "gateway")
#: Those that hold events and views.
HOLDERS = tuple(name for name in SERVICES if name != "gateway")
Port = Annotated[int, Field(ge=1024, le=65_535)]


class HomeSettings(BaseSettings):
    """What an operator may set; each field is `FIKARUM_<FIELD>` in the environment."""

    model_config = SettingsConfigDict(env_prefix="FIKARUM_", frozen=True, extra="ignore")

    home: Path = REPOSITORY / ".fikarum"
    gateway_port: Port | None = None
    identity_port: Port | None = None
    feed_port: Port | None = None
    groups_port: Port | None = None
    wiki_port: Port | None = None
    search_port: Port | None = None
    engagement_port: Port | None = None
    #: Where the parts of a platform are that this home did not start, such as one in containers.
    gateway_url: str | None = None
    mongo_uri: str | None = None
    kafka: str | None = None
    opensearch_url: str | None = None
    #: As services read it; by default `secrets/master.key` under home.
    master_key_file: Path | None = None
    #: End every part when the supervisor is gone, however it ended; otherwise the next `up` takes them over.
    leash: bool = False

    @property
    def set_ports(self) -> dict[str, int]:
        ports = {name: getattr(self, f"{name}_port") for name in SERVICES}
        return {name: port for name, port in ports.items() if port is not None}


def from_env(settings: type[S]) -> S:
    """What the environment says. Raises Fault with the name of what is set wrong."""
    try:
        return settings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        raise Fault(f"FIKARUM_{name}: {first['msg']}") from None


@dataclass(frozen=True, slots=True)
class Home:
    """Where everything of one platform is."""

    path: Path
    settings: HomeSettings

    @classmethod
    def of(cls, settings: HomeSettings) -> "Home":
        return cls(settings.home.expanduser().resolve(), settings)

    @classmethod
    def here(cls) -> "Home":
        """The one that the environment names. Raises Fault."""
        return cls.of(from_env(HomeSettings))

    @classmethod
    def started_here(cls) -> "Home":
        """The same, for commands that start and end processes. Raises Fault for a platform elsewhere."""
        home = cls.here()
        if home.settings.gateway_url:
            raise Fault(
                "FIKARUM_GATEWAY_URL names a platform elsewhere: it is started and ended where it runs."
            )
        return home

    @property
    def state(self) -> Path:
        return self.path / "state.json"

    @property
    def secrets(self) -> Path:
        return self.path / "secrets"

    @property
    def master_key(self) -> Path:
        return self.settings.master_key_file or self.secrets / "master.key"

    def log(self, part: str) -> Path:
        return self.path / "logs" / f"{part}.log"

    def urls(self) -> dict[str, str]:
        """Where each service answers; the ports are chosen once and kept."""
        self.make()
        ports = ports_of(self.path, SERVICES, self.settings.set_ports)
        return {name: f"http://{HOST}:{port}" for name, port in ports.items()}

    def make(self) -> None:
        """The folder itself. Raises Fault where it cannot be."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self.path / "logs").mkdir(exist_ok=True)
        except OSError as error:
            raise Fault(f"{self.path} cannot be used: {error.strerror}. Set FIKARUM_HOME.") from error

    def make_secrets(self) -> None:
        """What several services read at their start; what only one needs, it makes itself."""
        # Loads what services are made of, which no other command needs.
        from shared.runtime.keys import MasterKey

        MasterKey.create(self.master_key)
