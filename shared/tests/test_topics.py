"""Topics: made on purpose, kept for ever."""

import pytest
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

from shared.kernel.errors import Unavailable
from shared.runtime.codec import PARTITIONS
from shared.tests.rooms import Room
from shared.tests.walls import PUBLIC


async def test_the_number_of_partitions_is_fixed_when_a_topic_is_made(room: Room) -> None:
    await room.topics.ensure([PUBLIC])
    with pytest.raises(Unavailable) as refused:
        await room.topics.ensure([PUBLIC], partitions=PARTITIONS + 1)
    assert refused.value.code == "topic-partitions"
    assert (await room.topics.describe([PUBLIC]))[PUBLIC].partitions == PARTITIONS


async def test_topics_of_events_keep_everything_for_ever(room: Room) -> None:
    await room.topics.ensure([PUBLIC])
    name = room.topics.full_name(PUBLIC)
    admin = KafkaAdminClient(bootstrap_servers=room.settings.kafka)
    try:
        which = [ConfigResource(ConfigResourceType.TOPIC, name)]
        found = admin.describe_configs(which, config_filter="modified")["topic"][name]
    finally:
        admin.close()
    assert [found[key]["value"] for key in ("retention.ms", "retention.bytes")] == ["-1", "-1"]
    assert found["cleanup.policy"]["value"] == "delete"
