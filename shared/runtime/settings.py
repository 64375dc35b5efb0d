"""What can be set from outside, where it is read from, and how large, many or long anything may be.

Read from the environment only (`FIKARUM_PORT=7104`, `FIKARUM_LIMITS__PAGE_SIZE_MOST=50`); secrets from the
files named there.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    PositiveFloat,
    PositiveInt,
    StringConstraints,
    ValidationError,
)
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

PREFIX = "FIKARUM_"

#: A prefix that MongoDB, Kafka and OpenSearch all accept in a name.
Namespace = Annotated[str, StringConstraints(pattern=r"^([a-z][a-z0-9_]{0,30}[_-]?)?$")]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]+$")]


class Environment(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class Limits(BaseModel):
    """Every ceiling by name. What passes one is refused in words, never cut off silently."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: Bytes of one request's body, where the route does not say otherwise.
    body_bytes: PositiveInt = 2 * 1024 * 1024
    #: Levels of brackets within a JSON body.
    json_depth: PositiveInt = 32
    #: Bytes of one uploaded file.
    upload_bytes: PositiveInt = 512 * 1024 * 1024
    #: Pictures that one process takes in at a time, the one that is decoded and those that wait with their
    #: bytes; and how many of them may be one member's. The next one gets 429.
    pictures_at_once: PositiveInt = 16
    pictures_at_once_of_one: PositiveInt = 3
    #: Hours after its upload in which a file may be referred to for the first time.
    upload_fresh_hours: PositiveInt = 12
    #: Hours after which an upload that nothing refers to is deleted. More than `upload_fresh_hours`.
    upload_orphan_hours: PositiveInt = 24
    #: Items on one page of a list, when the caller does not say.
    page_size: PositiveInt = 20
    #: Items on one page of a list, at most.
    page_size_most: PositiveInt = 100
    #: Characters of one cursor.
    cursor_characters: PositiveInt = 1_000
    #: Requests that one process works on at a time; the next one gets 503 instead of memory.
    requests_at_once: PositiveInt = 256
    #: Requests a minute of one member.
    requests_a_minute: PositiveInt = 600
    #: Requests that a member who was quiet may make at once.
    requests_burst: PositiveInt = 120
    #: Callers whose rates one process remembers.
    callers_remembered: PositiveInt = 100_000
    #: Characters of a title or a name.
    title_characters: PositiveInt = 200
    #: Characters of one line of prose: a note, a summary.
    line_characters: PositiveInt = 1_000
    #: Characters of a page, a post or another long text.
    text_characters: PositiveInt = 500_000
    #: Seconds that a read waits for the reader's own write.
    behind_seconds: PositiveFloat = 2.0
    #: Seconds that readiness may take to find out.
    ready_seconds: PositiveFloat = 2.0
    #: Seconds that requests under way get to finish when the process is asked to stop.
    shutdown_seconds: PositiveInt = 10


class Settings(BaseSettings):
    """One process's settings. An app calls `Settings.from_env()`; tests give the fields by name."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
    )

    environment: Environment = Environment.DEVELOPMENT
    #: Put before every database, topic, consumer group and index, so that two platforms share engines.
    namespace: Namespace = ""
    #: The folder of data, logs and secrets.
    home: Path = Path("~/.fikarum")

    mongo_uri: str = "mongodb://127.0.0.1:27017/?replicaSet=rs0"
    kafka: str = "127.0.0.1:9092"
    opensearch_url: Url = "http://127.0.0.1:9200"

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 7100
    #: Where the gateway answers Prometheus, and anybody who reaches it: keep it from outside. With 0 nowhere.
    metrics_port: Annotated[int, Field(ge=0, le=65_535)] = 0
    #: Addresses and networks of the proxies in front of the gateway, as JSON: `["10.0.0.0/8"]`. What they say
    #: of where a request came from is believed (`X-Forwarded-For`, `X-Forwarded-Proto`); of others, nothing.
    trusted_proxies: tuple[IPvAnyNetwork, ...] = ()

    gateway_url: Url = "http://127.0.0.1:7100"
    identity_url: Url = "http://127.0.0.1:7101"
    feed_url: Url = "http://127.0.0.1:7102"
    groups_url: Url = "http://127.0.0.1:7103"
    wiki_url: Url = "http://127.0.0.1:7104"
    search_url: Url = "http://127.0.0.1:7105"
    engagement_url: Url = "http://127.0.0.1:7106"

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    #: By default JSON in production and readable lines otherwise.
    log_format: Literal["auto", "json", "console"] = "auto"
    #: Where traces go: an OTLP/HTTP address such as `http://127.0.0.1:4318/v1/traces`, or nowhere.
    traces_url: str = ""
    #: The share of traces that is kept, 0 to 1; a trace that a caller keeps is kept here too.
    traces_share: Annotated[float, Field(ge=0, le=1)] = 1.0

    #: 32 bytes that wrap every member's own key; by default `secrets/master.key` under home.
    master_key_file: Path | None = None
    #: The Ed25519 key (PEM) that identity signs tokens with; by default `secrets/signing.pem` under home.
    signing_key_file: Path | None = None

    limits: Limits = Limits()

    @classmethod
    def from_env(cls) -> Self:
        """Raises SystemExit with one line that names the variable but not its value, which may be secret."""
        try:
            return cls()
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            name = "__".join(str(part) for part in first["loc"]).upper()
            raise SystemExit(f"fikarum: {PREFIX}{name}: {first['msg']}") from None
        except SettingsError as error:
            raise SystemExit(f"fikarum: {error}") from None

    @property
    def production(self) -> bool:
        return self.environment is Environment.PRODUCTION

    @property
    def json_logs(self) -> bool:
        return self.log_format == "json" or (self.log_format == "auto" and self.production)

    @property
    def folder(self) -> Path:
        return self.home.expanduser()

    def named(self, name: str) -> str:
        """`name` of a database, topic, group or index within this platform's namespace."""
        return f"{self.namespace}{name}"

    def url_of(self, service: str) -> str:
        """Where `service` answers; raises AttributeError for a service that there is not."""
        return str(getattr(self, f"{service}_url"))

    @property
    def master_key_path(self) -> Path:
        return self.master_key_file or self.folder / "secrets" / "master.key"

    @property
    def signing_key_path(self) -> Path:
        return self.signing_key_file or self.folder / "secrets" / "signing.pem"


def secret(path: Path) -> bytes:
    """What the file holds. Raises SystemExit with one line where it cannot be read or others may read it."""
    try:
        if path.stat().st_mode & 0o077:
            raise SystemExit(f"fikarum: {path} can be read by others: chmod 600 it")
        return path.read_bytes()
    except OSError as error:
        raise SystemExit(f"fikarum: {path}: {error.strerror}") from None
