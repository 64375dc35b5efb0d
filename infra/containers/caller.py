"""What the package registries of whoever builds need, for builds that run in containers.

`infra/containers/caller/` is part of what images are built from, of the stages that fetch packages only, and
never of an image. Git ignores what is put there.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

from infra.engines.settings import REPOSITORY

FOLDER = REPOSITORY / "infra/containers/caller"
_CERTIFICATES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE")
#: Bytes of the largest file that could be meant.
_MOST = 4 * 2**20


def fill(environment: Mapping[str, str], folder: Path = FOLDER) -> list[str]:
    """Puts there what the environment names: certificates, pip's and npm's settings. Answers which files."""
    kept = []
    for name, content in {
        "certificates.crt": _file(environment, *_CERTIFICATES),
        "pip.conf": _file(environment, "PIP_CONFIG_FILE") or _pip(environment),
        "npmrc": _file(environment, "NPM_CONFIG_USERCONFIG") or _npm(environment),
    }.items():
        if content is None:
            (folder / name).unlink(missing_ok=True)
        else:
            # Where it is the same, the engine's cache of built layers still holds.
            if not (folder / name).exists() or (folder / name).read_bytes() != content:
                (folder / name).write_bytes(content)
            kept.append(name)
    return kept


def _file(environment: Mapping[str, str], *names: str) -> bytes | None:
    for name in names:
        path = Path(environment.get(name, ""))
        if environment.get(name) and path.is_file() and path.stat().st_size <= _MOST:
            return path.read_bytes()
    return None


def _pip(environment: Mapping[str, str]) -> bytes | None:
    index = environment.get("PIP_INDEX_URL") or environment.get("UV_DEFAULT_INDEX")
    return f"[global]\nindex-url = {index}\n".encode() if index else None


def _npm(environment: Mapping[str, str]) -> bytes | None:
    registry = environment.get("NPM_CONFIG_REGISTRY")
    return f"registry={registry}\n".encode() if registry else None


def copy_into(folder: Path) -> None:
    """The same files for a build with another context."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(FOLDER, folder)
