"""OpenSearch as one node, run by the launcher under java/ with its modules on the class path."""

import http.client
import json
from collections.abc import Callable
from pathlib import Path

from infra.engines.jvm import Program
from infra.engines.ports import HOST
from infra.engines.settings import EngineName, EngineSettings, megabytes

_OVERHEAD_MB = 250
_PROBE_SECONDS = 2.0
_MAIN = "org.fikarum.search.Launcher"

_PLUGINS = (
    "org.opensearch.transport.Netty4ModulePlugin",
    "org.fikarum.search.AnalysisWithoutThai",
    "org.fikarum.search.PolishAnalysis",
    "org.opensearch.plugin.analysis.icu.AnalysisICUPlugin",
    "org.opensearch.painless.PainlessModulePlugin",
    "org.opensearch.script.expression.ExpressionModulePlugin",
    "org.opensearch.script.mustache.MustacheModulePlugin",
    "org.opensearch.index.mapper.MapperExtrasModulePlugin",
    "org.opensearch.join.ParentJoinModulePlugin",
    "org.opensearch.percolator.PercolatorModulePlugin",
    "org.opensearch.index.rankeval.RankEvalModulePlugin",
    "org.opensearch.index.reindex.ReindexModulePlugin",
    "org.opensearch.search.aggregations.matrix.MatrixAggregationModulePlugin",
    "org.opensearch.ingest.common.IngestCommonModulePlugin",
)

_LOGGING = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %p %c{1.} %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
"""


def url(port: int, host: str = HOST) -> str:
    return f"http://{host}:{port}"


class OpenSearch:
    name: EngineName = "opensearch"

    def __init__(
        self,
        folder: Path,
        ports: dict[str, int],
        settings: EngineSettings,
        program: Callable[[], Program],
        *,
        train: bool = False,
    ) -> None:
        self.folder, self._settings, self._program, self._train = folder, settings, program, train
        self.ports = {name: ports[name] for name in ("opensearch", "opensearch_transport")}

    @property
    def needed_mb(self) -> int:
        return megabytes(self._settings.opensearch_heap) + _OVERHEAD_MB

    def prepare(self) -> list[str]:
        configuration, temporary = self.folder / "config", self.folder / "tmp"
        for path in (configuration, temporary, self.folder / "data"):
            path.mkdir(exist_ok=True)
        # JSON is YAML too
        (configuration / "opensearch.yml").write_text(json.dumps(self._node(), indent=2) + "\n")
        (configuration / "log4j2.properties").write_text(_LOGGING)
        options = [
            "-Xms128m",
            f"-Xmx{self._settings.opensearch_heap}",
            f"-Djava.io.tmpdir={temporary}",
            f"-Djna.tmpdir={temporary}",
            "-Djna.nosys=true",
            "-Djava.locale.providers=SPI,CLDR",
            "-Dlog4j.shutdownHookEnabled=false",
            "-Dio.netty.noUnsafe=true",
            "-Dio.netty.noKeySetOptimization=true",
            "-Dio.netty.allocator.numDirectArenas=0",
            "--enable-native-access=ALL-UNNAMED",
            *self._settings.opensearch_jvm_options.split(),
        ]
        arguments = (str(self.folder), str(configuration), *_PLUGINS)
        return self._program().command(options, _MAIN, *arguments, train=self._train)

    def answers(self) -> bool:
        """True once every primary shard is there to be read and written."""
        connection = http.client.HTTPConnection(
            self._settings.engine_host, self.ports["opensearch"], timeout=_PROBE_SECONDS
        )
        try:
            connection.request("GET", "/_cluster/health")
            answer = connection.getresponse()
            body = answer.read()
            return answer.status == http.client.OK and json.loads(body)["status"] in ("yellow", "green")
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _node(self) -> dict[str, object]:
        free = self._settings.minimum_free_mb
        watermark = "cluster.routing.allocation.disk.watermark"
        return {
            "cluster.name": "fikarum",
            "node.name": "search",
            "discovery.type": "single-node",
            "network.host": self._settings.listen,
            "http.port": self.ports["opensearch"],
            "transport.port": self.ports["opensearch_transport"],
            "path.data": str(self.folder / "data"),
            "path.logs": str(self.folder),
            "action.auto_create_index": False,
            # in megabytes, since a share of a large disk that others fill says nothing about this node;
            # at the last one indexes refuse writes with a clear answer, until there is room again
            f"{watermark}.low": f"{free}mb",
            f"{watermark}.high": f"{free // 2}mb",
            f"{watermark}.flood_stage": f"{free // 4}mb",
            "cluster.routing.allocation.node_concurrent_recoveries": 16,
            "indices.query.bool.max_clause_count": 4096,
        }
