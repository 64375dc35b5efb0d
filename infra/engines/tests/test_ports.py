"""Ports are chosen once per home and stay."""

import json
import socket
from pathlib import Path

import pytest

from infra.engines.ports import ENGINE_PORTS, ports_of


def test_a_home_keeps_its_ports(tmp_path: Path) -> None:
    first = ports_of(tmp_path, ENGINE_PORTS, {})

    assert ports_of(tmp_path, ENGINE_PORTS, {}) == first
    assert json.loads((tmp_path / "ports.json").read_text()) == first
    assert len(set(first.values())) == len(ENGINE_PORTS)


def test_a_new_name_gets_a_port_and_the_others_keep_theirs(tmp_path: Path) -> None:
    first = ports_of(tmp_path, ENGINE_PORTS, {})

    assert ports_of(tmp_path, [*ENGINE_PORTS, "gateway"], {}).items() > first.items()


def test_a_set_port_wins_and_is_not_kept(tmp_path: Path) -> None:
    first = ports_of(tmp_path, ENGINE_PORTS, {})

    assert ports_of(tmp_path, ENGINE_PORTS, {"kafka": 20_999})["kafka"] == 20_999
    assert ports_of(tmp_path, ENGINE_PORTS, {}) == first


def test_a_port_in_use_is_not_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        monkeypatch.setattr("infra.engines.ports.FIRST", taken)
        monkeypatch.setattr("infra.engines.ports.LAST", taken + 2)

        assert ports_of(tmp_path, ["mongo"], {}) == {"mongo": taken + 1}


def test_two_homes_start_looking_at_different_places(tmp_path: Path) -> None:
    homes = [tmp_path / str(number) for number in range(20)]
    firsts = set()
    for home in homes:
        home.mkdir()
        firsts.add(ports_of(home, ["mongo"], {})["mongo"])

    assert len(firsts) > len(homes) / 2
    assert max(firsts) < 32_768
