"""What an operator may set about the engines; each field is `FIKARUM_<FIELD>` in the environment."""

import re
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

EngineName = Literal["mongo", "kafka", "opensearch"]
ENGINES: tuple[EngineName, ...] = get_args(EngineName)
REPOSITORY = Path(__file__).resolve().parents[2]

_MEGABYTES = {"m": 1, "g": 1024}


def _heap(size: str) -> str:
    if not re.fullmatch(r"[1-9]\d*[mg]", size):
        raise ValueError("a heap size is a number with m or g, for example 512m")
    return size


Heap = Annotated[str, AfterValidator(_heap)]
Port = Annotated[int, Field(ge=1024, le=65535)]


def megabytes(heap: str) -> int:
    """`512m` and `2g` in MiB."""
    return int(heap[:-1]) * _MEGABYTES[heap[-1]]


class EngineSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="FIKARUM_", frozen=True, extra="ignore")

    tools: Path = REPOSITORY / ".tools"
    kafka_heap: Heap = "384m"
    opensearch_heap: Heap = "512m"
    mongo_cache_gb: Annotated[float, Field(ge=0.25)] = 0.25

    # the name under which clients reach the engines, and what they listen on where that is another one
    engine_host: str = "127.0.0.1"
    engine_listen: str = ""

    # where no port is set, a free one is chosen once per home and kept in its ports.json
    mongo_port: Port | None = None
    kafka_port: Port | None = None
    kafka_controller_port: Port | None = None
    opensearch_port: Port | None = None
    opensearch_transport_port: Port | None = None

    minimum_free_mb: Annotated[int, Field(ge=0)] = 1024
    start_timeout: Annotated[float, Field(gt=0)] = 120.0
    stop_timeout: Annotated[float, Field(gt=0)] = 60.0
    test_commands: bool = False  # MongoDB's failpoints, for tests only
    leash: bool = False  # stop the engines when the process that started them is gone
    # The quick compiler only: starts take half the CPU seconds. A node that is busy for hours
    # searches and indexes a third faster without.
    kafka_jvm_options: str = "-XX:TieredStopAtLevel=1"
    opensearch_jvm_options: str = "-XX:TieredStopAtLevel=1"

    @property
    def listen(self) -> str:
        return self.engine_listen or self.engine_host

    @property
    def set_ports(self) -> dict[str, int]:
        ports = {
            "mongo": self.mongo_port,
            "kafka": self.kafka_port,
            "kafka_controller": self.kafka_controller_port,
            "opensearch": self.opensearch_port,
            "opensearch_transport": self.opensearch_transport_port,
        }
        return {name: port for name, port in ports.items() if port is not None}
