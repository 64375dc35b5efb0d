"""Kafka, MongoDB and OpenSearch as supervised local processes, installed from package registries.

with Engines(Path(".fikarum")) as engines:
    addresses = engines.start()
"""

from infra.engines.engines import Engines
from infra.engines.faults import EngineFault
from infra.engines.seam import Addresses, EngineSource, EngineStatus
from infra.engines.settings import ENGINES, EngineName, EngineSettings

__all__ = [
    "ENGINES",
    "Addresses",
    "EngineFault",
    "EngineName",
    "EngineSettings",
    "EngineSource",
    "EngineStatus",
    "Engines",
]
