"""What the image of the native engines is built from: `.tools/containers`, a folder with the jars that
infra.engines has fetched and checked, the lock files and the engines' own code.
"""

import shutil
from pathlib import Path

from infra.containers import caller
from infra.engines.install import Report, installed
from infra.engines.settings import REPOSITORY, EngineSettings

FOLDER = REPOSITORY / ".tools/containers"
_FILES = ("requirements.lock", "infra/services.lock", "infra/__init__.py")
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "tests")


def prepare(report: Report, folder: Path = FOLDER) -> Path:
    """Makes the folder anew; the jars are linked where they can be."""
    jars = installed(EngineSettings().tools, report).kafka.jars[0].parents[1]
    shutil.rmtree(folder, ignore_errors=True)
    for name in _FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(REPOSITORY / name, folder / name)
    shutil.copytree(REPOSITORY / "infra/engines", folder / "infra/engines", ignore=_LEFT_OUT)
    caller.copy_into(folder / "infra/containers/caller")
    for group in ("kafka", "opensearch", "compiler"):
        for jar in sorted((jars / group).glob("*.jar")):
            linked = folder / "tools" / jars.name / group / jar.name
            linked.parent.mkdir(parents=True, exist_ok=True)
            _link(jar, linked)
    return folder


def _link(jar: Path, linked: Path) -> None:
    try:
        linked.hardlink_to(jar)
    except OSError:  # another file system
        shutil.copy2(jar, linked)
