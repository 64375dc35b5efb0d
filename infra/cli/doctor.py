"""`fikarum doctor`: is everything as it must be, and what is to be done where it is not? Changes nothing."""

import hashlib
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Literal

import httpx
import typer
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from infra.cli import shown, state
from infra.cli.faults import Fault
from infra.cli.home import SERVICES, Home
from infra.cli.lag import measured
from infra.cli.places import Places, places
from infra.cli.platform import Platform
from infra.cli.topics import EVERY, KEYS
from infra.engines.memory import available_mb
from infra.engines.settings import REPOSITORY, EngineSettings

if TYPE_CHECKING:
    from kafka.admin import KafkaAdminClient

#: Seconds that one look may take.
_SECONDS = 5.0
#: Seconds behind which members notice, and from which views refuse to answer.
_NOTICED, _REFUSED = 5.0, 30.0
_SLOWEST_CLOCK = 2.0
_LOW_MEMORY_MB = 300
_COLOURS = {"well": "green", "look": "yellow", "ill": "red"}
#: What of a topic's settings says whether it forgets.
_KEEPS = ("retention.ms", "retention.bytes", "cleanup.policy")

State = Literal["well", "look", "ill"]


@dataclass(frozen=True, slots=True)
class Check:
    """`ill`: members notice or will; `look`: nobody notices yet. `remedy`: what to do."""

    name: str
    state: State
    says: str
    remedy: str = ""


def doctor(as_json: shown.AsJson = False) -> None:
    """Look at this machine, the engines and every service; ends with 1 where something is ill."""
    found = list(examine(Home.here()))
    if as_json:
        shown.document([asdict(check) for check in found])
    else:
        table = shown.table("", "what", "says", "do")
        for check in found:
            mark = f"[{_COLOURS[check.state]}]{check.state}[/]"
            table.add_row(mark, check.name, check.says, check.remedy)
        shown.wide().print(table)
    if any(check.state == "ill" for check in found):
        raise typer.Exit(1)


def examine(home: Home) -> Iterator[Check]:
    """Everything that can be looked at, in the order in which it depends on each other."""
    yield from _machine(home)
    try:
        where = places(home)
    except Fault as fault:
        yield Check("platform", "ill", str(fault), "fikarum up")
        return
    if not where.elsewhere:
        yield from _parts(home)
    yield from _guarded("MongoDB", lambda: _mongo(where.addresses["mongo"]))
    yield from _guarded("Kafka", lambda: kafka(where.addresses["kafka"]))
    yield from _guarded("OpenSearch", lambda: _opensearch(where.addresses["opensearch"]))
    yield from _guarded("gateway", lambda: _gateway(where.gateway))
    yield from _guarded("views", lambda: _views(home, where))


def _guarded(name: str, look: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """A look that fails is itself what was found."""
    try:
        yield from look()
    except (Fault, PyMongoError, httpx.HTTPError, ValueError, LookupError) as error:
        yield Check(name, "ill", " ".join(str(error).split())[:200], "see its log (fikarum status)")


def _machine(home: Home) -> Iterator[Check]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Check("Python", "well" if sys.version_info >= (3, 11) else "ill", version, "")
    lock, mark = REPOSITORY / "requirements.lock", REPOSITORY / ".venv/.lock-checksum"
    if lock.exists() and mark.exists():
        same = mark.read_text().strip() == hashlib.sha256(lock.read_bytes()).hexdigest()
        says = "as requirements.lock says" if same else "not those of requirements.lock"
        yield Check("packages", "well" if same else "look", says, "" if same else "make setup")
    settings = EngineSettings()
    free = shutil.disk_usage(home.path if home.path.exists() else home.path.parent).free // 2**20
    enough = free > 2 * settings.minimum_free_mb
    state: State = "well" if enough else "look" if free > settings.minimum_free_mb else "ill"
    yield Check("disk", state, f"{free:,} MB free", "" if enough else f"make room at {home.path}")
    memory = available_mb()
    low = memory < _LOW_MEMORY_MB
    yield Check(
        "memory", "look" if low else "well", f"{memory:,} MB available", "end other programs" if low else ""
    )
    if home.secrets.exists():
        yield _secrets(home)


def _secrets(home: Home) -> Check:
    files = {file for file in (*home.secrets.rglob("*"), home.master_key) if file.is_file()}
    open_ones = sorted(file for file in files if file.stat().st_mode & 0o077)
    if open_ones:
        return Check("secrets", "ill", f"{open_ones[0]} can be read by others", f"chmod 600 {open_ones[0]}")
    return Check("secrets", "well", f"{len(files)} files, readable by their owner only")


def _parts(home: Home) -> Iterator[Check]:
    now = shown.status_of(home, state.read(home.state))
    for name, part in now.parts.items():
        says = f"{part.state}, {part.memory_mb} MB"
        if part.state != "running":
            waits = f", waits for {', '.join(part.waiting_for)}" if part.waiting_for else ""
            yield Check(name, "ill", says + waits, f"see {part.log}")
        elif part.restarts:
            yield Check(name, "look", f"{says}, died {part.restarts} times", f"see {part.log}")
        else:
            yield Check(name, "well", says)


def _mongo(uri: str) -> Iterator[Check]:
    client: MongoClient[dict[str, Any]] = MongoClient(uri, serverSelectionTimeoutMS=int(_SECONDS * 1000))
    with client:
        hello, built = client.admin.command("hello"), client.admin.command("buildInfo")
        writes = bool(hello.get("isWritablePrimary")) and "setName" in hello
        says = f"{built['version']}, {'takes writes' if writes else 'takes no writes'}"
        yield Check("MongoDB", "well" if writes else "ill", says, "" if writes else "see its log")


def kafka(bootstrap: str) -> Iterator[Check]:
    # Loads Kafka's client, which most commands do not need.
    from kafka.admin import KafkaAdminClient
    from kafka.errors import KafkaError

    from shared.runtime.settings import Settings

    try:
        admin = KafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=int(_SECONDS * 1000))
        try:
            here = {name: f"{Settings.from_env().namespace}{name}" for name in EVERY}
            there = set(admin.list_topics())
            missing = [name for name, full in here.items() if full not in there]
            wrong = [name for name, full in here.items() if full in there and _wrong(admin, name, full)]
        finally:
            admin.close()
    except KafkaError as error:
        raise Fault(f"it does not answer: {error}") from error
    if missing:
        service = missing[0].partition(".")[0]
        yield Check("Kafka", "ill", f"{missing[0]} is not there", f"{service} makes it at its start: its log")
    elif wrong:
        rule = ", ".join(f"{name}={value}" for name, value in _kept(wrong[0]).items())
        yield Check("Kafka", "ill", f"{wrong[0]} does not keep what it must", f"set {rule} before it forgets")
    else:
        says = f"{len(EVERY)} topics: events are kept for ever, keys as they are now"
        yield Check("Kafka", "well", says)


def _kept(topic: str) -> dict[str, str]:
    """How it must be set."""
    from shared.runtime.topics import COMPACTED, FOREVER

    rule = COMPACTED if topic == KEYS else FOREVER
    return {name: rule[name] for name in _KEEPS}


def _wrong(admin: "KafkaAdminClient", topic: str, full_name: str) -> bool:
    from kafka.admin import ConfigResource, ConfigResourceType

    kept = _kept(topic)
    wanted = ConfigResource(ConfigResourceType.TOPIC, full_name, configs=dict.fromkeys(kept))
    found = admin.describe_configs([wanted], config_filter="all")
    said = found[ConfigResourceType.TOPIC.name.lower()][full_name] if isinstance(found, dict) else {}
    return any(str(said[name]["value"]) != value for name, value in kept.items())


def _opensearch(url: str) -> Iterator[Check]:
    health = httpx.get(f"{url}/_cluster/health", timeout=_SECONDS).raise_for_status().json()
    well = health["status"] in ("green", "yellow")
    remedy = "" if well else "see its log; the index can be rebuilt: fikarum rebuild search.items"
    yield Check(
        "OpenSearch",
        "well" if well else "ill",
        f"{health['status']}, shards: {health['active_shards']}",
        remedy,
    )


def _gateway(url: str) -> Iterator[Check]:
    answer = httpx.get(f"{url}/health/ready", timeout=_SECONDS)
    ready = answer.status_code == httpx.codes.OK
    yield Check("gateway", "well" if ready else "ill", "ready" if ready else answer.text[:200], "")
    apart = abs(parsedate_to_datetime(answer.headers["date"]).timestamp() - time.time())
    state: State = "look" if apart > _SLOWEST_CLOCK else "well"
    yield Check("clocks", state, f"{apart:.0f} s apart", "set the clock (NTP)" if state == "look" else "")


def _views(home: Home, where: Places) -> Iterator[Check]:
    with Platform.of(home) as platform:
        found = measured(platform, where.addresses["kafka"])
    for service in (name for name in SERVICES if name in found.relays):
        unsent = found.relays[service]
        if unsent > _NOTICED:
            yield Check(
                f"{service} relay", "ill", f"oldest unsent {unsent:.0f} s", "is Kafka up? see its log"
            )
        for view in (view for view in found.views if view.service == service):
            yield from _view(view.view, view.generation, view.seconds, view.parked)
    slowest = max((view.seconds for view in found.views), default=0.0)
    yield Check("views", "well", f"{len(found.views)}, the slowest {slowest:.1f} s behind")


def _view(name: str, generation: str | None, seconds: float, parked: int) -> Iterator[Check]:
    if generation is None:
        yield Check(name, "ill", "nothing serves yet: it is being built", "fikarum generations")
    elif seconds > _NOTICED:
        state: State = "ill" if seconds > _REFUSED else "look"
        yield Check(name, state, f"{seconds:.0f} s behind", "fikarum lag; see the service's log")
    if parked:
        yield Check(name, "ill", f"{parked} events are parked", "fikarum parked")
