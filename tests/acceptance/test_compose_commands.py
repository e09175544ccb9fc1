"""Every service of docker-compose.yml starts with its own command and passes its own health check.

Containers are replaced by processes and container addresses by loopback ports; commands,
environment, order of start and health checks are the file's. Postgres and Redis come from wheels.
"""

import contextlib
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from compose_file import ROOT, example_variables, health_command, is_one_shot, load

from wtb_async.infrastructure.embedded import EmbeddedServices, embedded_services
from wtb_async.infrastructure.embedded.guarded_process import GuardedProcess
from wtb_async.infrastructure.embedded.parts import PartSpec
from wtb_async.infrastructure.embedded.ports import free_port

IN_PLACE_OF_IMAGES = {"postgres", "redis"}
HEALTHY_WITHIN_SECONDS = 120


@dataclass(frozen=True)
class LoopbackHost:
    """Runs what the compose file says on this machine instead of in containers."""

    folder: Path
    services: EmbeddedServices
    replacements: Mapping[str, str]

    def load(self) -> dict[str, dict[str, Any]]:
        """The services in the order in which they may start, with this machine's addresses."""
        variables = example_variables() | {
            "POSTGRES_PASSWORD": urlsplit(self.services.database_url).password or "",
            "REDIS_PASSWORD": urlsplit(self.services.redis_url or "").password or "",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
            "FLOWER_BASIC_AUTH": f"operator:{secrets.token_hex(16)}",
        }
        services = self._on_loopback(load(variables)["services"])
        needs = {name: service.get("depends_on", {}) for name, service in services.items()}
        order = TopologicalSorter(needs).static_order()
        return {name: services[name] for name in order if name not in IN_PLACE_OF_IMAGES}

    @contextlib.contextmanager
    def running(self, name: str, service: Mapping[str, Any]) -> Iterator[GuardedProcess]:
        """One service as a process; ended with SIGTERM, as Compose does."""
        process = GuardedProcess(
            PartSpec(
                name=name,
                argv=self._command(service["command"]),
                cwd=self.folder,
                env=self._environment(service),
                stop_seconds=60,
                adopts_orphans=True,
            ),
            order=self.folder / f"{name}.json",
            log=self.log_of(name),
            parent=os.getpid(),
        )
        try:
            yield process
        finally:
            process.stop()

    def is_healthy(self, service: Mapping[str, Any]) -> bool:
        """Whether the service's own health check succeeds."""
        check = subprocess.run(
            self._command(health_command(service)),
            cwd=self.folder,
            env=os.environ | self._environment(service),
            capture_output=True,
            check=False,
        )
        return check.returncode == 0

    def log_of(self, name: str) -> Path:
        """What the service printed."""
        return self.folder / f"{name}.log"

    def _command(self, command: list[str]) -> tuple[str, ...]:
        program = shutil.which(command[0], path=self._path())
        assert program, f"{command[0]} is not installed"
        return (program, *command[1:])

    def _environment(self, service: Mapping[str, Any]) -> dict[str, str]:
        return {
            "PATH": self._path(),
            "HOME": str(self.folder),
            "PYTHONUNBUFFERED": "1",
            "RAY_TMPDIR": str(self.folder / "ray"),
            **service["environment"],
        }

    def _path(self) -> str:
        return f"{Path(sys.executable).parent}:{os.environ['PATH']}"

    def _on_loopback(self, node: Any) -> Any:  # noqa: ANN401 - YAML has no narrower type.
        if isinstance(node, dict):
            return {key: self._on_loopback(value) for key, value in node.items()}
        if isinstance(node, list):
            return [self._on_loopback(value) for value in node]
        if isinstance(node, str):
            for container, here in self.replacements.items():
                node = node.replace(container, here)
        return node


def address_in(url: str) -> str:
    """The `host:port` of a URL."""
    return urlsplit(url).netloc.rpartition("@")[2]


@pytest.fixture
def host() -> Iterator[LoopbackHost]:
    # Ray's sockets leave little room for the path of its folder.
    folder = Path(tempfile.mkdtemp(prefix="wtbc-", dir="/tmp"))
    ray, node, api, flower = (str(free_port()) for _ in range(4))
    with embedded_services(folder / "data") as services:
        replacements = {
            "postgres:5432": address_in(services.database_url),
            "redis:6379": address_in(services.redis_url or ""),
            "ray-head:6379": f"127.0.0.1:{ray}",
            "--port=6379": f"--port={ray}",
            "6380": node,
            "0.0.0.0": "127.0.0.1",  # noqa: S104 - what is replaced, not what is bound.
            "--port=8000": f"--port={api}",
            "127.0.0.1:8000": f"127.0.0.1:{api}",
            "--port=5555": f"--port={flower}",
            "127.0.0.1:5555": f"127.0.0.1:{flower}",
            "/tmp": str(folder),  # noqa: S108
            "/project": str(ROOT / "examples" / "rag_pipeline"),
            "/opt/wtb/app": str(ROOT),
        }
        yield LoopbackHost(folder, services, replacements)
    shutil.rmtree(folder)


def test_every_service_starts_in_order_and_gets_healthy(host: LoopbackHost) -> None:
    with contextlib.ExitStack() as running:
        for name, service in host.load().items():
            process = running.enter_context(host.running(name, service))
            if is_one_shot(service):
                assert process.wait(HEALTHY_WITHIN_SECONDS) == 0, host.log_of(name).read_text()
            else:
                await_health(host, name, service, process)


def await_health(
    host: LoopbackHost, name: str, service: Mapping[str, Any], process: GuardedProcess
) -> None:
    deadline = time.monotonic() + HEALTHY_WITHIN_SECONDS
    while not host.is_healthy(service):
        log = host.log_of(name).read_text()
        assert process.wait(0.2) is None, f"{name} ended with {process.wait()}: {log}"
        assert time.monotonic() < deadline, f"{name} did not get healthy: {log}"
    assert process.wait(0) is None, f"{name} ended although its health check succeeds"
