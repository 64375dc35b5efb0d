"""`python -m infra.contracts write` writes what is generated; `check [--since REVISION]` refuses."""

import argparse
import io
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from infra.contracts.catalogue import load
from infra.contracts.check import Refusal, breaking, check, released
from infra.contracts.tree import Tree
from infra.contracts.write import write_all

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.contracts", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("write", help="write schemas, missing examples and asyncapi.json")
    checking = commands.add_parser("check", help="refuse drift and breaking changes")
    checking.add_argument("--since", metavar="REVISION", help="also keep all that this git revision promised")
    asked = parser.parse_args(arguments)
    return _write(root) if asked.command == "write" else _check(root, asked.since)


def _write(root: Path) -> int:
    tree, contracts = Tree(root / "contracts"), load(root)
    if refusals := breaking(tree, contracts):
        return _refuse(refusals)
    changed, by_hand = write_all(tree, contracts)
    for path in changed:
        print(f"wrote {tree.said(path)}")
    for sentence in by_hand:
        print(sentence, file=sys.stderr)
    return 1 if by_hand else 0


def _check(root: Path, since: str | None) -> int:
    tree, contracts = Tree(root / "contracts"), load(root)
    refusals = check(tree, contracts)
    if since:
        with tempfile.TemporaryDirectory() as folder:
            try:
                refusals += released(tree, earlier(root, since, Path(folder)))
            except NoSuchRevision as error:
                print(error, file=sys.stderr)
                return 1
    if refusals:
        return _refuse(refusals)
    print(f"contracts: {len(contracts)} events keep their promises")
    return 0


class NoSuchRevision(Exception):
    """Git does not know it, or it holds no contracts."""


def earlier(root: Path, revision: str, folder: Path) -> Tree:
    """The contracts as they were at a git revision, unpacked into `folder`. Raises NoSuchRevision."""
    command = ["git", "archive", "--format=tar", revision, "contracts"]
    archive = subprocess.run(command, cwd=root, check=False, capture_output=True)
    if archive.returncode:
        raise NoSuchRevision(
            f"{revision}: {archive.stderr.decode().strip()}. Name a revision with contracts."
        )
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as packed:
        # Absent before Python 3.11.4; what git packs itself is safe without it.
        packed.extraction_filter = getattr(tarfile, "data_filter", None)
        packed.extractall(folder)  # noqa: S202
    return Tree(folder / "contracts")


def _refuse(refusals: list[Refusal]) -> int:
    for refusal in dict.fromkeys(refusals):
        print(refusal, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
