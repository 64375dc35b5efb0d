"""Settings: from the environment, with one clear line where something is wrong."""

from pathlib import Path

import pytest

from shared.runtime.settings import Environment, Settings, secret


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIKARUM_PORT", "7104")
    monkeypatch.setenv("FIKARUM_ENVIRONMENT", "production")
    monkeypatch.setenv("FIKARUM_LIMITS__PAGE_SIZE_MOST", "50")
    settings = Settings.from_env()
    assert (settings.port, settings.environment) == (7104, Environment.PRODUCTION)
    assert settings.limits.page_size_most == 50
    assert settings.limits.page_size == 20
    assert settings.json_logs


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FIKARUM_PORT", "many"),
        ("FIKARUM_PORT", "70000"),
        ("FIKARUM_NAMESPACE", "a/b"),
        ("FIKARUM_LIMITS__BODY_BYTES", "-1"),
        ("FIKARUM_LIMITS__NO_SUCH_LIMIT", "1"),
        ("FIKARUM_WIKI_URL", "ftp://wiki"),
    ],
)
def test_a_bad_value_is_one_line_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as stopped:
        Settings.from_env()
    line = str(stopped.value)
    assert line.startswith(f"fikarum: {name}: ") and "\n" not in line


def test_a_bad_value_is_not_repeated_since_it_may_be_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIKARUM_LIMITS", "hunter2")
    with pytest.raises(SystemExit) as stopped:
        Settings.from_env()
    assert "hunter2" not in str(stopped.value)


def test_a_namespace_is_put_before_every_name() -> None:
    assert Settings(namespace="t1_").named("wiki.events") == "t1_wiki.events"
    assert Settings().named("wiki") == "wiki"


def test_services_are_found_by_name() -> None:
    settings = Settings(wiki_url="http://wiki:7104")
    assert settings.url_of("wiki") == "http://wiki:7104"
    with pytest.raises(AttributeError):
        settings.url_of("payroll")


def test_a_secret_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "master.key"
    file.write_bytes(b"k" * 32)
    file.chmod(0o644)
    with pytest.raises(SystemExit, match="can be read by others"):
        secret(file)
    file.chmod(0o600)
    assert secret(file) == b"k" * 32


def test_a_secret_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="No such file"):
        secret(tmp_path / "none.key")
