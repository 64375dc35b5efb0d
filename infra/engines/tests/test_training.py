"""What becomes of the caches that engines write at their end."""

from pathlib import Path

from infra.engines.training import keep


def test_an_engine_that_wrote_no_cache_works_without(tmp_path: Path) -> None:
    told: list[str] = []
    keep(tmp_path / "kafka-1.fresh", tmp_path / "kafka-1.aot", "kafka", told.append)
    assert list(tmp_path.iterdir()) == []
    assert len(told) == 1 and "kafka wrote no cache" in told[0]


def test_a_cache_that_was_written_is_taken_into_use(tmp_path: Path) -> None:
    told: list[str] = []
    (tmp_path / "kafka-1.fresh").write_bytes(b"classes")
    keep(tmp_path / "kafka-1.fresh", tmp_path / "kafka-1.aot", "kafka", told.append)
    assert (tmp_path / "kafka-1.aot").read_bytes() == b"classes" and told == []
