"""Personal data (section "Personal data"): keys that arrive late, final erasure, rebuilds and restores."""

import asyncio
import base64
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar

import bson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord
from pydantic import BaseModel
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError

from shared.kernel.decider import Decider
from shared.kernel.errors import Refused, Unavailable, Undecodable
from shared.kernel.events import Event, Occasion, Recorded
from shared.kernel.personal import CannotOpen, Personal, Sealed, Subject
from shared.kernel.projection import Projection, canonical
from shared.runtime.ids import new_id
from shared.runtime.keycopy import PARTITIONS, TOPIC, KeyCopy, encode
from shared.runtime.keys import (
    KeyRecord,
    KeyRing,
    MasterKey,
    Missing,
    WrongMasterKey,
    update_of,
)
from shared.runtime.lag import LogEnds
from shared.runtime.purges import Purges
from shared.runtime.secretfiles import create_secret
from shared.runtime.store import EventStore
from shared.runtime.topics import COMPACTED, Topics
from shared.runtime.vault import Erasure, KeyRelay, KeyVault, reapply_erasures
from shared.tests.eventually import eventually

Database = AsyncDatabase[dict[str, Any]]
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class WitnessHeard(Event):
    """An event that only these tests know: somebody said something, somewhere."""

    topic: ClassVar[str | None] = None

    witness_id: str
    place: str
    words: Annotated[Personal, Subject("witness_id")]
    address: Annotated[Personal | None, Subject("witness_id")] = None


@dataclass(frozen=True)
class Hear:
    witness_id: str
    words: str
    place: str = "Malmö"


witnesses: Decider[Hear, int] = Decider(
    lambda c: f"witness-{c.witness_id}",
    0,
    lambda c, _: [WitnessHeard(witness_id=c.witness_id, place=c.place, words=Personal(c.words))],
    lambda heard, _: heard + 1,
)


class WitnessView(BaseModel):
    words: list[Personal] = []


class PlaceView(BaseModel):
    """An aggregate: how many were heard where."""

    heard: int = 0


def _said(view: WitnessView | None, event: Event, recorded: Recorded, key: str) -> WitnessView:
    assert isinstance(event, WitnessHeard)
    return WitnessView(words=[*(view.words if view else []), event.words])


def _counted(view: PlaceView | None, event: Event, recorded: Recorded, key: str) -> PlaceView:
    return PlaceView(heard=(view.heard if view else 0) + 1)


said = Projection(
    "tests.said", 1, WitnessView, (WitnessHeard,), lambda e: {getattr(e, "witness_id", "")}, _said
)
places = Projection(
    "tests.places", 1, PlaceView, (WitnessHeard,), lambda e: {getattr(e, "place", "")}, _counted
)


@dataclass
class House:
    """Identity's vault and one other service, each with its own database, on real engines."""

    identity: Database
    wiki: Database
    topics: Topics
    bootstrap: str
    master: MasterKey
    ring: KeyRing
    vault: KeyVault

    def other_ring(self, *, patience: float = 0.0, master: MasterKey | None = None) -> KeyRing:
        return KeyRing(self.wiki, master or self.master, patience=patience)

    @asynccontextmanager
    async def following(self, ring: KeyRing) -> AsyncIterator[None]:
        copy = KeyCopy(ring, self.topics, self.bootstrap)
        await copy.start()
        try:
            await asyncio.wait_for(ring.caught_up.wait(), 20)
            yield
        finally:
            await copy.stop()

    @asynccontextmanager
    async def relaying(self) -> AsyncIterator[None]:
        relay = KeyRelay(self.vault, self.topics, self.bootstrap)
        await relay.start()
        try:
            yield
        finally:
            await relay.stop()

    async def send_all(self) -> None:
        relay = KeyRelay(self.vault, self.topics, self.bootstrap)
        await relay.open()
        try:
            await relay.sweep()
        finally:
            await relay.close()

    async def put_on_topic(self, *records: KeyRecord) -> None:
        """As a producer that knows no fencing would."""
        await self.topics.ensure([TOPIC], COMPACTED, PARTITIONS)
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap) as producer:
            for record in records:
                key = record.member_id.encode()
                await producer.send_and_wait(self.topics.full_name(TOPIC), encode(record), key)

    async def on_topic(self) -> list[ConsumerRecord]:
        partition = TopicPartition(self.topics.full_name(TOPIC), 0)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, isolation_level="read_committed", enable_auto_commit=False
        )
        await consumer.start()
        try:
            consumer.assign([partition])
            await consumer.seek_to_beginning(partition)
            end = (await consumer.end_offsets([partition]))[partition]
            found: list[ConsumerRecord] = []
            while await consumer.position(partition) < end:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found.extend(records)
            return found
        finally:
            await consumer.stop()

    async def event(self, member_id: str, words: str = "I saw it.", event_id: str = "e-1") -> WitnessHeard:
        plain = WitnessHeard(witness_id=member_id, place="Malmö", words=Personal(words))
        sealed = await self.ring.seal(plain, event_id)
        assert isinstance(sealed, WitnessHeard)
        return sealed


@pytest.fixture
async def house(mongo_uri: str, kafka_bootstrap: str) -> AsyncIterator[House]:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongo_uri, tz_aware=True)
    namespace = f"t{new_id()[-12:]}_"
    identity, wiki = client[f"{namespace}identity"], client[f"{namespace}wiki"]
    master = MasterKey(bytes(range(32)))
    ring = KeyRing(identity, master, patience=0.0)
    ring.caught_up.set()
    vault = KeyVault(ring)
    await vault.prepare()
    async with Topics(kafka_bootstrap, namespace) as topics:
        yield House(identity, wiki, topics, kafka_bootstrap, master, ring, vault)
    await client.drop_database(identity.name)
    await client.drop_database(wiki.name)
    await client.close()


async def backup_of(database: Database) -> list[dict[str, Any]]:
    return await database["keys"].find({}).to_list()


async def restore(database: Database, documents: Sequence[dict[str, Any]]) -> None:
    await database["keys"].delete_many({})
    await database["keys"].insert_many(documents)


async def opens_as(ring: KeyRing, value: Personal, text: str | None) -> bool:
    try:
        return await ring.open(value) == text
    except Unavailable:
        return False


async def test_what_is_stored_holds_no_plain_text(house: House) -> None:
    store = EventStore("tests", house.identity, house.ring)
    await store.prepare()
    await house.vault.ensure(["ann"])
    await store.handle(witnesses, Hear("ann", "the sealed words"), Occasion("ann", "story"))
    stored = [bson.encode(document) async for document in house.identity["commits"].find({})]
    assert stored and not any(b"the sealed words" in document for document in stored)
    event = (await store.load("witness-ann"))[0].event()
    assert isinstance(event, WitnessHeard)
    assert await house.ring.open(event.words) == "the sealed words"


async def test_what_was_not_sealed_is_not_stored(house: House) -> None:
    """A service that was assembled without its keys."""
    store = EventStore("tests", house.wiki)
    await store.prepare()
    with pytest.raises(Refused):
        await store.handle(witnesses, Hear("ann", "the plain words"), Occasion("ann", "story"))
    assert await house.wiki["commits"].count_documents({}) == 0


async def test_a_key_that_arrives_late_is_unknown_first_and_then_opens(house: House) -> None:
    await house.vault.ensure(["ann"])
    event = await house.event("ann")
    elsewhere = house.other_ring()
    async with house.following(elsewhere):
        with pytest.raises(Unavailable) as unknown:
            await elsewhere.open(event.words)
        assert unknown.value.code == "key-not-here-yet"
        assert await elsewhere.open_all([event.words]) == [Missing.UNKNOWN]
        async with house.relaying():
            await eventually(lambda: opens_as(elsewhere, event.words, "I saw it."))


async def test_sealing_waits_for_a_key_that_is_on_its_way(house: House) -> None:
    elsewhere = house.other_ring(patience=20.0)
    async with house.following(elsewhere):
        plain = WitnessHeard(witness_id="ann", place="Malmö", words=Personal("Early."))
        sealing = asyncio.create_task(elsewhere.seal(plain, "e-2"))
        await house.vault.ensure(["ann"])
        await house.send_all()
        sealed = await sealing
        assert isinstance(sealed, WitnessHeard)
        assert await house.ring.open(sealed.words) == "Early."


async def test_nothing_opens_before_every_erasure_is_known(house: House) -> None:
    await house.vault.ensure(["ann"])
    event = await house.event("ann")
    restarted = KeyRing(house.identity, house.master)
    with pytest.raises(Unavailable) as early:
        await restarted.open(event.words)
    assert early.value.code == "keys-not-caught-up"


async def test_an_erased_member_is_another_answer_than_an_unknown_one(house: House) -> None:
    await house.vault.ensure(["ann", "bo"])
    ann, bo = await house.event("ann"), await house.event("bo", "Me too.")
    elsewhere = house.other_ring()
    async with house.following(elsewhere), house.relaying():
        await eventually(lambda: opens_as(elsewhere, ann.words, "I saw it."))
        await house.vault.erase("ann")
        assert await house.ring.open(ann.words) is None
        await eventually(lambda: opens_as(elsewhere, ann.words, None))
        assert await elsewhere.open_all([ann.words, bo.words]) == [Missing.ERASED, "Me too."]


async def test_nothing_more_is_sealed_for_the_erased(house: House) -> None:
    await house.vault.ensure(["ann"])
    await house.vault.erase("ann")
    await house.vault.ensure(["ann"])
    with pytest.raises(Refused) as refused:
        await house.event("ann")
    assert refused.value.code == "person-erased"


async def test_erasure_is_final_though_an_older_or_even_a_newer_key_is_redelivered(house: House) -> None:
    await house.vault.ensure(["ann"])
    event = await house.event("ann")
    first = KeyRecord.of((await backup_of(house.identity))[0])
    await house.vault.erase("ann")
    await house.send_all()
    newer = KeyRecord("ann", 99, first.wrapped, first.master)
    await house.put_on_topic(first, newer, KeyRecord("bo", 1, first.wrapped, first.master))
    elsewhere = house.other_ring()
    async with house.following(elsewhere):
        assert await elsewhere.open(event.words) is None
        assert await elsewhere.collection.find_one({"_id": "bo"}) is not None
        again = house.other_ring()
        async with house.following(again):
            assert await again.open(event.words) is None


async def test_an_older_version_never_overwrites_a_newer_one(house: House) -> None:
    ring = house.other_ring()
    second = KeyRecord("ann", 2, house.master.wrap("ann", bytes(32)), house.master.fingerprint)
    first = KeyRecord("ann", 1, house.master.wrap("ann", b"1" * 32), house.master.fingerprint)
    await ring.absorb([second])
    await ring.absorb([first])
    assert KeyRecord.of((await backup_of(house.wiki))[0]) == second


async def test_records_that_race_into_a_copy_leave_the_newest(house: House) -> None:
    rings = [house.other_ring() for _ in range(8)]
    wrapped = house.master.wrap("ann", bytes(32))
    records = [KeyRecord("ann", at, wrapped, house.master.fingerprint) for at in range(1, 9)]
    await asyncio.gather(*(r.absorb([k]) for r, k in zip(rings, reversed(records), strict=True)))
    assert KeyRecord.of((await backup_of(house.wiki))[0]).version == 8
    erased = KeyRecord("ann", 9, erased_at=NOW)
    await asyncio.gather(*(r.absorb([k]) for r, k in zip(rings, [erased, *records[1:]], strict=True)))
    assert KeyRecord.of((await backup_of(house.wiki))[0]) == erased


async def test_a_copy_that_looked_early_and_writes_late_changes_nothing(house: House) -> None:
    keys = house.other_ring().collection
    wrapped = house.master.wrap("ann", bytes(32))
    late = [update_of(KeyRecord("ann", 1, wrapped, house.master.fingerprint))]
    await keys.bulk_write([update_of(KeyRecord("ann", 2, wrapped, house.master.fingerprint))])
    with pytest.raises(BulkWriteError):
        await keys.bulk_write(late)
    await keys.bulk_write([update_of(KeyRecord("ann", 3, erased_at=NOW))])
    with pytest.raises(BulkWriteError):
        await keys.bulk_write([update_of(KeyRecord("ann", 4, wrapped, house.master.fingerprint))])
    assert KeyRecord.of((await backup_of(house.wiki))[0]) == KeyRecord("ann", 3, erased_at=NOW)


async def test_a_key_in_memory_is_forgotten_also_where_another_process_heard_of_it_first(
    house: House,
) -> None:
    """They share the copies of keys: to the second the erasure is no news there."""
    await house.vault.ensure(["ann"])
    event = await house.event("ann")
    first, second = house.other_ring(), house.other_ring()
    kept = KeyRecord.of((await backup_of(house.identity))[0])
    for ring in (first, second):
        await ring.absorb([kept])
        ring.caught_up.set()
        assert await opens_as(ring, event.words, "I saw it.")
    await house.vault.erase("ann")
    erased = KeyRecord.of((await backup_of(house.identity))[0])
    for ring in (first, second):
        await ring.absorb([erased])
        assert await opens_as(ring, event.words, None)


async def test_a_key_in_memory_is_forgotten_when_its_member_is_erased(house: House) -> None:
    await house.vault.ensure(["ann"])
    event = await house.event("ann")
    first, second = house.other_ring(), house.other_ring()
    async with house.following(first), house.following(second):
        await house.send_all()
        await eventually(lambda: opens_as(first, event.words, "I saw it."))
        await eventually(lambda: opens_as(second, event.words, "I saw it."))
        await house.vault.erase("ann")
        await house.send_all()
        await eventually(lambda: opens_as(first, event.words, None))
        await eventually(lambda: opens_as(second, event.words, None))


async def test_a_ring_remembers_only_so_many_keys(house: House) -> None:
    ring = KeyRing(house.identity, house.master, remembered=2)
    ring.caught_up.set()
    await house.vault.ensure(["ann", "bo", "cy"])
    events = [await house.event(member) for member in ("ann", "bo", "cy")]
    assert await ring.open_all([event.words for event in events]) == ["I saw it."] * 3
    assert len(ring._unwrapped) == 2


async def test_a_relay_that_slept_cannot_put_a_destroyed_key_behind_its_erasure(house: House) -> None:
    await house.vault.ensure(["ann"])
    slept, successor = (KeyRelay(house.vault, house.topics, house.bootstrap) for _ in range(2))
    await slept.open()
    held = await house.vault.due()
    await house.vault.erase("ann")
    await successor.open()
    await successor.sweep()
    with pytest.raises(KafkaError):
        await slept.send(held)
    await slept.close()
    await successor.close()
    assert [b"erased_at" in record.value for record in await house.on_topic()] == [True]


async def test_an_erasure_between_reading_and_sending_is_sent_next(house: House) -> None:
    await house.vault.ensure(["ann"])
    relay = KeyRelay(house.vault, house.topics, house.bootstrap)
    await relay.open()
    held = await house.vault.due()
    await house.vault.erase("ann")
    await relay.send(held)
    await relay.sweep()
    await relay.close()
    assert [b"erased_at" in record.value for record in await house.on_topic()] == [False, True]


async def test_a_topic_of_keys_that_was_made_anew_is_filled_again(house: House) -> None:
    await house.vault.ensure(["ann", "bo"])
    await house.vault.erase("bo")
    ann, bo = await house.event("ann"), Sealed("bo", "e-1", "words", b"")
    async with house.relaying():
        await eventually(lambda: _nothing_due(house))
        await house.topics.recreate(TOPIC, COMPACTED, PARTITIONS)
        elsewhere = house.other_ring()
        async with house.following(elsewhere):
            await eventually(lambda: opens_as(elsewhere, ann.words, "I saw it."))
            await eventually(lambda: opens_as(elsewhere, Personal(sealed=bo), None))


class _Stumbling(KeyRelay):
    """As Kafka's client does beside a broker that is just starting."""

    stumbled = False

    async def open(self) -> None:
        if not self.stumbled:
            self.stumbled = True
            raise AssertionError("Did we not perform bootstrap?")
        await super().open()


async def test_keys_are_sent_though_their_relay_fails_in_a_way_that_nobody_expected(house: House) -> None:
    await house.vault.ensure(["ann"])
    relay = _Stumbling(house.vault, house.topics, house.bootstrap)
    await relay.start()
    try:
        await eventually(lambda: _nothing_due(house))
    finally:
        await relay.stop()
    assert relay.stumbled and len(await house.on_topic()) == 1


async def _nothing_due(house: House) -> bool:
    return not await house.vault.due()


async def test_a_destroyed_key_leaves_the_log_itself(house: House) -> None:
    quick = {**COMPACTED, "segment.ms": "100", "max.compaction.lag.ms": "100"}
    await house.topics.ensure([TOPIC], quick, PARTITIONS)
    vault = KeyVault(house.ring, closes_segment_after=timedelta(milliseconds=300))
    await vault.ensure(["ann"])
    relay = KeyRelay(vault, house.topics, house.bootstrap)
    await relay.start()
    try:
        await eventually(lambda: _nothing_due(house))
        await vault.erase("ann")

        async def gone() -> bool:
            return [b"wrapped" in record.value for record in await house.on_topic()].count(True) == 0

        await eventually(gone)
        assert [b"erased_at" in record.value for record in await house.on_topic()]
    finally:
        await relay.stop()


async def _rebuilt(store: EventStore, projection: Projection[Any]) -> dict[str, dict[str, Any]]:
    """Every document as it is after folding the whole history again."""
    views: dict[str, BaseModel | None] = {}
    async for batch in store.replay():
        for recorded in batch:
            event = recorded.event()
            for key in projection.keys(event):
                views[key] = projection.evolve(views.get(key), event, recorded, key)
    return {key: canonical(view.model_dump()) for key, view in views.items() if view is not None}


async def test_views_rebuilt_after_an_erasure_show_nothing_of_the_erased(house: House) -> None:
    store = EventStore("tests", house.identity, house.ring)
    await store.prepare()
    await house.vault.ensure(["ann", "bo"])
    for witness in ("ann", "bo"):
        await store.handle(witnesses, Hear(witness, f"{witness} spoke"), Occasion(witness, "story"))
    before, counted = await _rebuilt(store, said), await _rebuilt(store, places)
    await house.vault.erase("ann")
    after = await _rebuilt(store, said)
    assert after == before, "folds need no key"
    shown = {key: WitnessView.model_validate(document).words[0] for key, document in after.items()}
    assert await house.ring.open(shown["ann"]) is None
    assert await house.ring.open(shown["bo"]) == "bo spoke"
    assert await _rebuilt(store, places) == counted == {"Malmö": {"heard": 2}}, "aggregates do not change"


async def test_a_service_restored_from_an_old_backup_knows_the_erasure(house: House) -> None:
    await house.vault.ensure(["ann"])
    event = await house.event("ann")
    elsewhere = house.other_ring()
    async with house.following(elsewhere), house.relaying():
        await eventually(lambda: opens_as(elsewhere, event.words, "I saw it."))
        old = await backup_of(house.wiki)
        await house.vault.erase("ann")
        await eventually(lambda: opens_as(elsewhere, event.words, None))
    await restore(house.wiki, old)
    restarted = house.other_ring()
    async with house.following(restarted):
        assert await restarted.open(event.words) is None


async def test_identity_restored_from_an_old_backup_destroys_the_key_again(house: House) -> None:
    await house.vault.ensure(["ann"])
    event = await house.event("ann")
    await house.send_all()
    old = await backup_of(house.identity)
    await house.vault.erase("ann")
    await house.vault.announced("ann")
    await house.send_all()
    await restore(house.identity, old)
    ring = KeyRing(house.identity, house.master)
    vault = KeyVault(ring)
    ring.on_erased(vault.taken_in)
    async with house.following(ring):
        assert await ring.open(event.words) is None
    assert [erasure.member_id for erasure in await vault.unannounced()] == ["ann"]
    assert not any("wrapped" in document for document in await backup_of(house.identity))


async def test_the_kept_list_of_erasures_is_applied_again_though_the_topic_is_lost(house: House) -> None:
    await house.vault.ensure(["ann", "bo"])
    ann, bo = await house.event("ann"), await house.event("bo")
    old = await backup_of(house.identity)
    await house.vault.erase("ann", NOW)
    kept = await house.vault.erasures()
    assert kept == [Erasure("ann", NOW)]
    await restore(house.identity, old)
    house.ring.forget(["ann"])
    assert await house.ring.open(ann.words) == "I saw it.", "the backup brought the key back"
    assert await reapply_erasures(house.vault, kept) == 1
    assert await house.ring.open(ann.words) is None
    assert await house.ring.open(bo.words) == "I saw it."
    assert await reapply_erasures(house.vault, kept) == 0
    await house.send_all()
    elsewhere = house.other_ring()
    async with house.following(elsewhere):
        assert await elsewhere.open(ann.words) is None


async def test_the_master_key_is_rotated_and_the_old_one_opens_nothing_any_more(
    house: House, tmp_path: Path
) -> None:
    await house.vault.ensure(["ann", "bo", "cy"])
    ann, bo = await house.event("ann"), await house.event("bo")
    await house.vault.erase("cy")
    path = tmp_path / "master.key"
    create_secret(path, base64.b64encode(house.master.key) + b"\n")
    rotating = MasterKey.rotate(path)
    assert MasterKey.rotate(path) == rotating, "what was begun goes on"
    rings = [KeyRing(house.identity, rotating) for _ in range(2)]
    for ring in rings:
        ring.caught_up.set()
    assert await rings[0].open(ann.words) == "I saw it.", "until then the old key opens"
    # Two at once, as one that was killed and its successor: each key is wrapped anew once.
    done = await asyncio.gather(*(KeyVault(ring).rewrap(at_once=1) for ring in rings))
    assert sum(done) == 2 and await rings[0].by_master() == {rotating.fingerprint: 2}

    beside = MasterKey.retire(path)
    assert MasterKey.retire(path) is None
    assert beside is not None and MasterKey.read(beside) == house.master
    alone = MasterKey.read(path)
    assert alone.fingerprints == (rotating.fingerprint,)
    with pytest.raises(WrongMasterKey):
        await KeyRing(house.identity, house.master).check()
    await house.send_all()
    elsewhere = house.other_ring(master=alone)
    async with house.following(elsewhere):
        assert await elsewhere.open(ann.words) == await elsewhere.open(bo.words) == "I saw it."
    assert await house.vault.is_erased("cy")


async def test_a_ciphertext_moved_to_another_event_field_or_person_does_not_open(house: House) -> None:
    await house.vault.ensure(["ann", "bo"])
    sealed = (await house.event("ann")).words.sealed
    assert sealed is not None
    for moved in (
        Sealed("ann", "e-2", "words", sealed.ciphertext),
        Sealed("ann", "e-1", "address", sealed.ciphertext),
        Sealed("bo", "e-1", "words", sealed.ciphertext),
    ):
        with pytest.raises(CannotOpen):
            await house.ring.open(Personal(sealed=moved))


async def test_an_event_that_carries_the_ciphertext_of_another_is_not_read(house: House) -> None:
    await house.vault.ensure(["ann"])
    event = await house.event("ann")
    store = EventStore("tests", house.identity, None)
    await store.prepare()
    await store.append("witness-ann", 1, [event], Occasion("ann", "story"))
    with pytest.raises(Undecodable):
        (await store.load("witness-ann"))[0].event()


async def test_a_sealed_field_is_not_sealed_into_another_event(house: House) -> None:
    await house.vault.ensure(["ann"])
    event = await house.event("ann")
    with pytest.raises(ValueError, match="belongs to another event"):
        await house.ring.seal(event, "e-2")


async def test_a_wrong_master_key_is_a_clear_error_at_the_start_and_at_every_reader(house: House) -> None:
    await house.vault.ensure(["ann"])
    event = await house.event("ann")
    wrong = KeyRing(house.identity, MasterKey(bytes(32)))
    wrong.caught_up.set()
    with pytest.raises(WrongMasterKey) as at_start:
        await KeyVault(wrong).prepare()
    assert at_start.value.code == "wrong-master-key"
    with pytest.raises(WrongMasterKey):
        await KeyCopy(wrong, house.topics, house.bootstrap).start()
    with pytest.raises(WrongMasterKey):
        await wrong.open(event.words)


async def test_a_wrapped_key_that_was_swapped_for_anothers_does_not_unwrap(house: House) -> None:
    with pytest.raises(WrongMasterKey):
        house.master.unwrap("bo", house.master.wrap("ann", bytes(32)))


def test_two_processes_that_begin_at_once_make_one_master_key(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "master.key"
    made: list[MasterKey] = []
    together = threading.Barrier(8)

    def begin() -> None:
        together.wait()
        made.append(MasterKey.create(path))

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8 and len(set(made)) == 1
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["master.key"]


def test_a_master_key_that_others_may_read_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    MasterKey.create(path)
    path.chmod(0o644)
    with pytest.raises(SystemExit, match="chmod 600"):
        MasterKey.read(path)


@pytest.mark.parametrize("content", [b"", b"no base64!", b"c2hvcnQ="])
def test_a_file_that_holds_no_master_key_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "master.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(SystemExit, match="holds no master key"):
        MasterKey.read(path)


async def test_a_purge_is_repeated_once_the_consumers_passed_the_moment_of_the_erasure(house: House) -> None:
    topic = (await house.topics.ensure(["tests.events"]))["tests.events"]
    ends = LogEnds(house.bootstrap)
    purged: list[str] = []

    async def purge(member_id: str) -> None:
        purged.append(member_id)

    async with AIOKafkaProducer(bootstrap_servers=house.bootstrap) as producer:
        await producer.send_and_wait(house.topics.full_name("tests.events"), b"under way", partition=0)
    full_names = {"tests.events": house.topics.full_name("tests.events")}
    purges = Purges(house.wiki, purge, lambda: ends.of([topic], full_names))
    elsewhere = house.other_ring()
    elsewhere.on_erased(purges.begin)
    async with house.following(elsewhere):
        await house.vault.ensure(["ann"])
        await house.vault.erase("ann")
        await house.send_all()
        await eventually(lambda: _is(purged, ["ann"]))
    passed = {"offset": 0}

    async def passing() -> dict[str, int]:
        return {f"{topic.id}/0": passed["offset"]}

    assert await purges.repeat(passing) == 1
    assert purged == ["ann"]
    passed["offset"] = 1
    assert await purges.repeat(passing) == 0
    assert purged == ["ann", "ann"]
    assert await purges.repeat(passing) == 0
    assert purged == ["ann", "ann"]
    await ends.close()


async def _is(found: list[str], expected: list[str]) -> bool:
    return found == expected


async def test_a_kill_before_the_purge_loses_no_purge(house: House) -> None:
    """Written down first, purged then, taken in last: whatever fails in between is begun again."""
    attempts: list[str] = []

    async def fails_once(member_id: str) -> None:
        attempts.append(member_id)
        if len(attempts) == 1:
            raise ConnectionError("killed here")

    async def no_ends() -> dict[str, int]:
        return {"log/0": 1}

    elsewhere = house.other_ring()
    elsewhere.on_erased(Purges(house.wiki, fails_once, no_ends).begin)
    erased = KeyRecord("ann", 2, erased_at=NOW)
    with pytest.raises(ConnectionError):
        await elsewhere.absorb([erased])
    await elsewhere.absorb([erased])
    await elsewhere.absorb([erased])
    assert attempts == ["ann", "ann"]
