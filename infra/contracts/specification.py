"""Brings the published JSON Schema of AsyncAPI, which tests validate the generated document with."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

BUILD = Path(__file__).parent / "build"
SCHEMA = BUILD / "node_modules/@asyncapi/specs/schemas/3.0.0.json"
_NPM = Path(sys.executable).with_name("npm")


def fetch() -> bool:
    """Whether there was anything to do; once per lock file."""
    lock = hashlib.sha256((BUILD / "package-lock.json").read_bytes()).hexdigest()
    mark = BUILD / "node_modules/.lock-checksum"
    if mark.exists() and mark.read_text() == lock:
        return False
    path = f"{_NPM.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    command = [str(_NPM), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    subprocess.run(command, cwd=BUILD, env=os.environ | {"PATH": path}, check=True)
    mark.write_text(lock)
    return True


if __name__ == "__main__":
    try:
        fetch()
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(
            f"npm could not fetch the AsyncAPI schema ({error}). Check the network and run `make assets`."
        )
