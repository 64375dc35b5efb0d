"""The events of this checkout, and the command that checks them, as `make check` runs it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from infra.contracts.__main__ import ROOT, NoSuchRevision, earlier, main
from infra.contracts.catalogue import load


def test_every_event_has_a_producer_with_a_room_of_its_own() -> None:
    for contract in load(ROOT):
        assert (ROOT / "services" / contract.service).is_dir(), contract


def test_the_promises_of_this_checkout_are_kept() -> None:
    assert main(["check"]) == 0


def test_writing_what_is_missing_makes_the_check_pass(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check"], tmp_path) == 1
    assert "contracts/asyncapi.json: it is missing. Run `make contracts`" in capsys.readouterr().err
    for example in (ROOT / "contracts/examples").glob("*/*.json"):
        copy = tmp_path / example.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(example, copy)
    shutil.copytree(ROOT / "contracts/schemas", tmp_path / "contracts/schemas", dirs_exist_ok=True)
    assert main(["write"], tmp_path) == 0
    assert main(["check"], tmp_path) == 0


def test_the_contracts_of_an_earlier_revision_come_from_git(tmp_path: Path) -> None:
    schema = tmp_path / "repository/contracts/schemas/shop/OrderPlaced.v1.json"
    schema.parent.mkdir(parents=True)
    schema.write_text("{}")
    repository = tmp_path / "repository"
    me = ["-c", "user.name=ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false"]
    for step in (["init", "-q"], ["add", "."], [*me, "commit", "-qm", "one"]):
        subprocess.run(["git", *step], cwd=repository, check=True)  # noqa: S607 - the git of whoever runs this
    schema.unlink()
    tree = earlier(repository, "HEAD", tmp_path / "earlier")
    assert tree.versions("schemas") == {("shop", "OrderPlaced"): {1}}
    with pytest.raises(NoSuchRevision, match="Name a revision with contracts"):
        earlier(repository, "v9", tmp_path / "nowhere")
