"""`fikarum topics`: which topics a platform has, and whether they are there. `fikarum doctor` looks at the
same."""

import asyncio

from infra.cli.faults import Fault
from infra.cli.home import HOLDERS, Home
from infra.cli.places import places
from infra.cli.shown import AsJson, document, table, wide
from shared.kernel.errors import Unavailable

#: Members' keys, compacted; all others hold events, for ever.
KEYS = "identity.keys"
#: Each service makes its two at its start, whether it has said anything or not.
EVERY = tuple(sorted((KEYS, *(f"{name}.{kind}" for name in HOLDERS for kind in ("events", "private")))))


def topics(as_json: AsJson = False) -> None:
    """The topics that events and keys travel through."""
    found = asyncio.run(_described(places(Home.here()).addresses["kafka"]))
    if as_json:
        document([{"topic": name, "partitions": many, "id": id_} for name, (many, id_) in found.items()])
        return
    shown = table("topic", "partitions", "id")
    for name, (many, topic_id) in found.items():
        shown.add_row(name, str(many or "not there"), topic_id or "")
    wide().print(shown)


async def _described(bootstrap: str) -> dict[str, tuple[int | None, str | None]]:
    """Partitions and id by name; None of what is not there."""
    # Loads Kafka's client, which few commands need.
    from shared.runtime.settings import Settings
    from shared.runtime.topics import Topics

    try:
        async with Topics(bootstrap, Settings.from_env().namespace) as broker:
            found = await broker.describe(EVERY)
    except Unavailable as error:
        raise Fault(str(error)) from error
    there = {name: (topic.partitions, topic.id) for name, topic in found.items()}
    return {name: there.get(name, (None, None)) for name in EVERY}
