"""Style and script: fingerprinted files only, compressed once, kept for ever."""

import gzip
from pathlib import Path

import pytest

from services.gateway.statics import Statics
from shared.kernel.errors import NotFound


@pytest.fixture
def statics(tmp_path: Path) -> Statics:
    folder = tmp_path / "dist"
    folder.mkdir()
    (folder / "app-3a4fc402bc.css").write_text("a { color: red }")
    (folder / "manifest.json").write_text("{}")
    (tmp_path / "secret-3a4fc402bc.txt").write_text("secret")
    return Statics(folder)


def test_a_file_is_kept_for_ever_by_its_name(statics: Statics) -> None:
    answer = statics.answer("app-3a4fc402bc.css", zipped=False)
    assert answer.body == b"a { color: red }"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers["vary"] == "Accept-Encoding"


def test_it_comes_compressed_to_those_who_understand_that(statics: Statics) -> None:
    answer = statics.answer("app-3a4fc402bc.css", zipped=True)
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(bytes(answer.body)) == b"a { color: red }"


@pytest.mark.parametrize(
    "name",
    [
        "manifest.json",
        ".lock",
        "app.css",
        "app-0000000000.css",
        "../secret-3a4fc402bc.txt",
        "..%2fsecret-3a4fc402bc.txt",
        "app-3a4fc402bc.css\0",
        "app-3a4fc402bc.css\n",
        "",
    ],
)
def test_nothing_else_is_served(statics: Statics, name: str) -> None:
    with pytest.raises(NotFound):
        statics.answer(name, zipped=False)
