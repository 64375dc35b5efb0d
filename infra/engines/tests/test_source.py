"""Wherever tests get their engines from, the same is true of them."""

from pathlib import Path

import pytest

from infra.engines.attached import SOURCE_VARIABLE, source_for_tests
from infra.engines.faults import NotReady
from infra.engines.seam import EngineSource
from infra.engines.settings import ENGINES


def test_every_engine_that_was_started_answers_at_its_address(engines: EngineSource) -> None:
    addresses = engines.start(ENGINES)

    for name, status in engines.status().items():
        assert status.state == "running", name
    assert engines.addresses == addresses
    assert "replicaSet=" in addresses.mongo_uri


def test_starting_again_leaves_what_runs_alone(engines: EngineSource) -> None:
    assert engines.start(ENGINES) == engines.start(ENGINES)


def test_a_source_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="FIKARUM_TEST_SOURCE is native or containers, not clouds"):
        source_for_tests(tmp_path, {SOURCE_VARIABLE: "clouds"})
