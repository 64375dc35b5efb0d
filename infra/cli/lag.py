"""`fikarum lag`: how far everything is behind: relays behind their stores, views and readers behind Kafka."""

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.cli.faults import Fault
from infra.cli.home import HOLDERS, Home
from infra.cli.places import places
from infra.cli.platform import Platform
from infra.cli.shown import AsJson, document, seconds, table, wide

if TYPE_CHECKING:
    from kafka import TopicPartition
    from kafka.admin import KafkaAdminClient


@dataclass(frozen=True, slots=True)
class ViewLag:
    """`seconds`: the age of the newest end of the log that the view has passed."""

    service: str
    view: str
    generation: str | None
    events: int
    seconds: float
    parked: int


@dataclass(frozen=True, slots=True)
class GroupLag:
    """What Kafka knows of a group of consumers. `at_most`: the ends of transactions count as records."""

    group: str
    state: str
    at_most: int


@dataclass(frozen=True, slots=True)
class Lag:
    """`relays`: the age of the oldest commit that is not in Kafka, in seconds, by service."""

    relays: dict[str, float]
    views: list[ViewLag]
    groups: list[GroupLag]

    @property
    def longest(self) -> float:
        return max([*self.relays.values(), *(view.seconds for view in self.views)], default=0.0)


def _most(asked: float | None) -> float | None:
    """Raises BadParameter for what nothing could be more than, or everything."""
    if asked is not None and not 0 <= asked < math.inf:
        raise typer.BadParameter("Give a number of seconds, 0 or more.")
    return asked


def lag(
    as_json: AsJson = False,
    most: Annotated[
        float | None,
        typer.Option(callback=_most, help="End with 1 where anything is more seconds behind than this."),
    ] = None,
) -> None:
    """How far relays, views and consumers are behind."""
    home = Home.here()
    with Platform.of(home) as platform:
        found = measured(platform, places(home).addresses["kafka"])
    if as_json:
        document(asdict(found))
    else:
        _show(found)
    if most is not None and found.longest > most:
        raise typer.Exit(1)


def measured(platform: Platform, kafka: str) -> Lag:
    """Raises Fault where the gateway, a service or Kafka does not answer."""
    relays, views = {}, []
    for service in HOLDERS:
        said = platform.ask("GET", f"/operate/{service}/views")
        relays[service] = seconds(said["relay_unsent_seconds"])
        views += [_view(service, view) for view in said["views"]]
    return Lag(relays, views, groups(kafka))


def _view(service: str, said: dict[str, Any]) -> ViewLag:
    return ViewLag(
        service,
        said["view"],
        said["generation"],
        said["lag_events"],
        seconds(said["lag_seconds"]),
        said["parked"],
    )


def groups(bootstrap: str) -> list[GroupLag]:
    """Every group of consumers, by name. Raises Fault."""
    # Loads Kafka's client, which most commands do not need.
    from kafka.admin import KafkaAdminClient
    from kafka.errors import KafkaError

    try:
        admin = KafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=10_000)
        try:
            states = {str(group["group_id"]): str(group["group_state"]) for group in admin.list_groups()}
            committed = admin.list_group_offsets(list(states)) if states else {}
            ends = _ends(admin, {at for offsets in committed.values() for at in offsets})
        finally:
            admin.close()
    except KafkaError as error:
        raise Fault(f"Kafka does not answer at {bootstrap}: {error}") from error
    return [GroupLag(name, states[name], _behind(committed.get(name, {}), ends)) for name in sorted(states)]


def _ends(admin: "KafkaAdminClient", partitions: "set[TopicPartition]") -> "dict[TopicPartition, int]":
    if not partitions:
        return {}
    from kafka.admin import OffsetSpec

    found = admin.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.LATEST))
    return {at: end.offset for at, end in found.items()}


def _behind(committed: "dict[TopicPartition, Any]", ends: "dict[TopicPartition, int]") -> int:
    """An offset below zero: nothing was committed, and reading begins at the start."""
    return sum(max(0, ends.get(at, 0) - max(0, one.offset)) for at, one in committed.items())


def _show(found: Lag) -> None:
    relays = table("relay", "oldest unsent")
    for service, unsent in found.relays.items():
        relays.add_row(service, f"{unsent:.1f} s")
    views = table("view", "serves", "events", "behind", "parked")
    for view in found.views:
        row = (view.view, view.generation or "none yet", str(view.events), f"{view.seconds:.1f} s")
        views.add_row(*row, str(view.parked))
    consumers = table("consumers", "state", "records at most")
    for group in found.groups:
        consumers.add_row(group.group, group.state, str(group.at_most))
    console = wide()
    for each in (relays, views, consumers):
        console.print(each)
