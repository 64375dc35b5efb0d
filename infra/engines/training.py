"""Makes the caches of loaded classes: each Java engine runs once, works a little, writes its own."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic
from opensearchpy import OpenSearch as SearchClient

from infra.engines import kafka as kafka_engine
from infra.engines import opensearch as opensearch_engine
from infra.engines.install import Installation, Report
from infra.engines.jvm import Program
from infra.engines.locks import exclusive
from infra.engines.ports import ENGINE_PORTS, HOST, ports_of
from infra.engines.process import EngineProcess
from infra.engines.settings import EngineSettings

_RECORDS = 500
_WRITING_SECONDS = 300.0  # an engine writes its cache at its end, on a busy machine slowly
_KEPT_CACHES = 3  # checkouts with runtimes of their own may share one folder of tools

Ports = dict[str, int]
Use = Callable[[Ports], None]
Kind = type[kafka_engine.Kafka] | type[opensearch_engine.OpenSearch]


def train(installation: Installation, settings: EngineSettings, report: Report) -> None:
    """Write the caches that are missing; the engines work without, only their starts are slow."""
    patience = max(settings.stop_timeout, _WRITING_SECONDS)
    plain = settings.model_copy(
        update={"minimum_free_mb": 0, "engine_host": HOST, "engine_listen": "", "stop_timeout": patience}
    )
    with exclusive(settings.tools / "train.lock"):
        if not installation.kafka.cache.exists():
            report("making Kafka start fast")
            _train(installation.kafka, kafka_engine.Kafka, _use_kafka, plain, report)
        if not installation.opensearch.cache.exists():
            report("making OpenSearch start fast")
            _train(installation.opensearch, opensearch_engine.OpenSearch, _use_opensearch, plain, report)


def _train(program: Program, kind: Kind, use: Use, settings: EngineSettings, report: Report) -> None:
    fresh = replace(program, cache=program.cache.with_suffix(".fresh"))
    fresh.cache.unlink(missing_ok=True)  # half of one, of a training that was ended hard
    with tempfile.TemporaryDirectory(prefix="fikarum-train-") as home:
        folder = Path(home) / kind.name
        folder.mkdir()
        engine = kind(folder, ports_of(Path(home), ENGINE_PORTS, {}), settings, lambda: fresh, train=True)
        process = EngineProcess(engine, Path(home) / "log", settings)
        process.start()
        try:
            use(engine.ports)
        finally:
            process.stop()
    keep(fresh.cache, program.cache, kind.name, report)


def keep(fresh: Path, cache: Path, engine: str, report: Report) -> None:
    """Take the cache into use, and drop the oldest ones. An engine that wrote none works without."""
    try:
        fresh.rename(cache)
    except FileNotFoundError:
        report(f"{engine} wrote no cache before its end: it starts slowly, and the next start tries again")
        return
    caches = sorted(cache.parent.glob(f"{engine}-*.aot"), key=lambda each: each.stat().st_mtime)
    for outdated in caches[:-_KEPT_CACHES]:
        outdated.unlink()


def _use_kafka(ports: Ports) -> None:
    address = kafka_engine.bootstrap(ports["kafka"])
    admin = KafkaAdminClient(bootstrap_servers=address)
    admin.create_topics([NewTopic("training", num_partitions=2, replication_factor=1)])
    producer = KafkaProducer(bootstrap_servers=address, transactional_id="training", acks="all")
    producer.init_transactions()
    producer.begin_transaction()
    for number in range(_RECORDS):
        producer.send("training", key=str(number).encode(), value=b"x" * 500)
    producer.commit_transaction()
    producer.close()
    consumer = KafkaConsumer(
        "training",
        bootstrap_servers=address,
        group_id="training",
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        consumer_timeout_ms=5_000,
    )
    for number, _ in enumerate(consumer, 1):
        if number == _RECORDS:
            break
    consumer.commit()
    consumer.close()
    admin.close()


def _use_opensearch(ports: Ports) -> None:
    client = SearchClient(opensearch_engine.url(ports["opensearch"]), timeout=30)
    analyzers = ("english", "swedish", "german", "polish")
    properties = {name: {"type": "text", "analyzer": name} for name in analyzers} | {
        "tag": {"type": "keyword"}
    }
    client.indices.create(
        index="training",
        body={
            "settings": {"number_of_shards": 1, "number_of_replicas": 0},
            "mappings": {"properties": properties},
        },
    )
    texts = dict.fromkeys(analyzers, "the houses and their people")
    lines = [
        line
        for number in range(_RECORDS)
        for line in ({"index": {"_id": number}}, {**texts, "tag": str(number)})
    ]
    client.bulk(index="training", body=lines, refresh=True)
    client.search(
        index="training",
        body={
            "query": {
                "bool": {
                    "must": [{"multi_match": {"query": "house"}}],
                    "filter": [{"exists": {"field": "tag"}}],
                }
            },
            "highlight": {"fields": {"english": {}}},
            "aggs": {"tags": {"terms": {"field": "tag"}}},
        },
    )
    client.delete(index="training", id="1")
    client.close()
