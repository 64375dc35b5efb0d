"""Does a Docker-compatible engine answer, and does it hold the engines' official images?"""

import shutil
import subprocess
from pathlib import Path

import docker
import yaml
from docker.errors import APIError, DockerException, ImageNotFound

from infra.containers.faults import NoContainers
from infra.engines.settings import REPOSITORY

COMPOSE_FILE = REPOSITORY / "docker-compose.yml"
OPENSEARCH_FILE = REPOSITORY / "infra/opensearch/Dockerfile"
#: Seconds until an engine answers, and until it has pulled one image.
_PATIENCE, _PULL_PATIENCE = 10, 900


def engine(patience: int = _PATIENCE) -> docker.DockerClient:
    """The engine of DOCKER_HOST or of the default socket. Raises NoContainers with how to get one."""
    try:
        client = docker.from_env(timeout=patience)
        client.ping()
        return client
    except DockerException as error:
        why = str(error).splitlines()[0][:200]
        raise NoContainers(
            "No Docker-compatible engine answers: install Docker or Podman (on Debian: apt-get install "
            f"docker.io), or set DOCKER_HOST ({why})"
        ) from None


def compose() -> list[str]:
    """The command of Docker Compose. Raises NoContainers."""
    found = shutil.which("docker")
    if found and subprocess.run([found, "compose", "version"], capture_output=True).returncode == 0:
        return [found, "compose"]
    if found := shutil.which("docker-compose"):
        return [found]
    raise NoContainers("Docker Compose is missing: apt-get install docker-compose")


def official_images() -> tuple[str, ...]:
    """The engines' images as the compose file names them, and what OpenSearch's is made from."""
    services = yaml.safe_load(COMPOSE_FILE.read_text())["services"]
    return services["mongo"]["image"], services["kafka"]["image"], _default(OPENSEARCH_FILE, "OPENSEARCH")


def _default(recipe: Path, argument: str) -> str:
    """What a build argument is where nobody sets it."""
    prefix = f"ARG {argument}="
    lines = recipe.read_text().splitlines()
    return next(line.removeprefix(prefix) for line in lines if line.startswith(prefix))


def can_pull(images: tuple[str, ...]) -> bool:
    """Whether the engine has all of them, now or after pulling; stops at the first that it cannot get."""
    client = engine(_PULL_PATIENCE)
    for image in images:
        try:
            client.images.get(image)
        except ImageNotFound:
            try:
                client.images.pull(image)
            except APIError:
                return False
    return True
