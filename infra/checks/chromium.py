"""Where is the browser that tests look at pages with? Installs Debian's if it is missing and may."""

import os
import shutil
import subprocess
import sys

#: Without the parts that draw a window: a fresh page takes a fifth of the time. Not everywhere packaged.
SHELL, PACKAGE = "chromium-headless-shell", "chromium"
_NAMES = (SHELL, PACKAGE, "chromium-browser", "google-chrome")


class NoBrowser(Exception):
    """One line that names the package to install."""


def chromium() -> str:
    """The path of the browser. Raises NoBrowser."""
    for name in _NAMES:
        if found := shutil.which(name):
            return found
    raise NoBrowser(f"Tests of pages need a browser: apt-get install {PACKAGE}")


def install() -> None:
    """Installs the package, as root on Debian. Raises NoBrowser."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        raise NoBrowser(f"Tests of pages need a browser: apt-get install {PACKAGE}")
    print("installing chromium", file=sys.stderr)
    _apt(apt, "update")
    for package in (SHELL, PACKAGE):
        done = _apt(apt, "install", "-y", "--no-install-recommends", package)
        if not done.returncode:
            return
    reason = (done.stderr.strip().splitlines() or ["apt-get did not say why"])[-1]
    raise NoBrowser(f"{PACKAGE} cannot be installed: {reason}")


def _apt(apt: str, *order: str) -> subprocess.CompletedProcess[str]:
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run([apt, "-q", *order], env=quiet, capture_output=True, text=True)


def main() -> None:
    """Installs the browser if it can; tests that need it fail with the same line if it cannot."""
    try:
        chromium()
    except NoBrowser:
        try:
            install()
        except NoBrowser as error:
            print(error, file=sys.stderr)


if __name__ == "__main__":
    main()
