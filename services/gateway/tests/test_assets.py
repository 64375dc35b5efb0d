"""The build of the interface's files: complete, named by content, quick, and safe when two run at once."""

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from services.gateway import assets

pytestmark = pytest.mark.usefixtures("built")

#: Compressed bytes that a phone fetches before the first page is itself. The budget is 60 KB.
SHELL_BUDGET = 60_000
BUILD = (
    "import sys, pathlib; from services.gateway import assets; print(assets.build(pathlib.Path(sys.argv[1])))"
)


def content(name: str) -> bytes:
    return (assets.DIST / Path(assets.asset_url(name)).name).read_bytes()


@pytest.mark.parametrize(
    "name", ["app.css", "app.js", "icons.svg", "favicon.svg", "birch.svg", "licences.txt"]
)
def test_every_asset_is_named_by_its_content(name: str) -> None:
    stem, dot, ending = name.rpartition(".")
    assert re.fullmatch(rf"/static/{stem}-[0-9A-Za-z]{{8,}}{re.escape(dot)}{ending}", assets.asset_url(name))
    assert content(name)


def test_a_build_with_nothing_new_does_nothing(tmp_path: Path) -> None:
    assert assets.build(tmp_path)
    before = {file.name: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    assert not assets.build(tmp_path)
    assert {file.name: file.stat().st_mtime_ns for file in tmp_path.iterdir()} == before


def test_a_lost_file_is_built_again(tmp_path: Path) -> None:
    assets.build(tmp_path)
    script = next(tmp_path.glob("app-*.js"))
    script.unlink()
    assert assets.build(tmp_path)
    assert script.exists()


def test_the_files_of_the_build_before_stay_and_older_ones_go(tmp_path: Path) -> None:
    assets.build(tmp_path)
    manifest = tmp_path / "manifest.json"
    (tmp_path / "app-older.css").write_text("gone with the next build")
    (tmp_path / "app-before.css").write_text("still served by a gateway that has not restarted")
    said = json.loads(manifest.read_text())
    manifest.write_text(
        json.dumps({"sources": "other", "files": said["files"] | {"app.css": "app-before.css"}})
    )
    assert assets.build(tmp_path)
    assert (tmp_path / "app-before.css").exists()
    assert not (tmp_path / "app-older.css").exists()


def test_of_two_builds_at_once_one_builds_and_one_waits(tmp_path: Path) -> None:
    command = [sys.executable, "-c", BUILD, str(tmp_path)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert sorted(process.communicate()[0].strip() for process in running) == ["False", "True"]


def test_without_a_build_one_line_names_the_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "DIST", tmp_path)
    with pytest.raises(assets.AssetsMissing) as missing:
        assets.asset_url("app.css")
    assert "make assets" in str(missing.value)
    assert "\n" not in str(missing.value)


def test_a_name_that_nothing_was_built_for_is_refused() -> None:
    with pytest.raises(assets.AssetsMissing, match=r"no file named app\.scss"):
        assets.asset_url("app.scss")


def test_without_node_one_line_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(assets.AssetsMissing, match="make setup"):
        assets.find_node([str(tmp_path)])


def test_a_node_that_is_too_old_is_passed_over(tmp_path: Path) -> None:
    for name in ("node", "npm"):
        (tmp_path / name).write_text("#!/bin/sh\necho v16.20.2\n")
        (tmp_path / name).chmod(0o755)
    with pytest.raises(assets.AssetsMissing):
        assets.find_node([str(tmp_path)])


def test_the_lock_file_names_no_addresses_and_every_package_has_its_checksum() -> None:
    text = (assets.BUILD / "package-lock.json").read_text()
    assert "://" not in re.sub(r'"url": "[^"]*"', "", text)
    assert all("integrity" in package for name, package in json.loads(text)["packages"].items() if name)


def test_style_and_script_stay_within_the_budget() -> None:
    assert (
        sum(len(gzip.compress(content(name))) for name in ("app.css", "app.js", "icons.svg")) < SHELL_BUDGET
    )


def test_nothing_is_loaded_from_elsewhere() -> None:
    css = content("app.css").decode()
    assert "@import" not in css
    assert "url(" not in css
    assert "//" not in re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    assert b"import(" not in content("app.js")


def test_the_licences_of_what_is_shipped_come_along() -> None:
    text = content("licences.txt").decode()
    assert all(name in text for name in ("htmx.org", "htmx-ext-sse", "lucide-static", "ISC License"))


def test_of_what_node_says_only_the_reason_is_told() -> None:
    thrown = "build.mjs:9\n    throw new Error(`No ${name}`);\n\nError: No icon of that name.\n    at symbol"
    assert assets._cause(thrown) == "No icon of that name."
    assert (
        assets._cause("npm warn old\nnpm error code ENOTFOUND\nnpm error more") == "npm error code ENOTFOUND"
    )
    assert assets._cause("") == ""


def test_the_command_says_whether_there_was_anything_to_do() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "services.gateway.assets", "build"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "The interface's files are up to date."


def test_the_command_refuses_what_it_does_not_know() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "services.gateway.assets", "raze"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr.startswith("usage:")
