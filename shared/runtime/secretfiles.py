"""Files that hold a secret: whole or not at all, and their owner's alone."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path


def create_secret(path: Path, content: bytes) -> bool:
    """Writes a file that only its owner reads, unless there is one; nobody sees half of it. True: written."""
    if path.exists():
        return False
    with _drafted(path, content) as draft, contextlib.suppress(FileExistsError):
        os.link(draft, path)
        return True
    return False


def replace_secret(path: Path, content: bytes) -> None:
    """The same over the file that is there; killed anywhere, it is the old one or the new one."""
    with _drafted(path, content) as draft:
        os.replace(draft, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextlib.contextmanager
def _drafted(path: Path, content: bytes) -> Iterator[Path]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:
        draft.unlink(missing_ok=True)
