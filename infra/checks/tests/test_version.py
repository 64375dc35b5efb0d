"""The release is named in two places, which must agree."""

import tomllib
from pathlib import Path

from shared import VERSION


def test_the_project_and_the_code_name_the_same_release() -> None:
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION
