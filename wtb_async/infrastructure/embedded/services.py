"""The processes of WTB itself: migrations, API, Celery worker, beat and Flower."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from wtb_async.infrastructure.embedded.parts import PartSpec, Probe
from wtb_async.infrastructure.embedded.readiness import answers_http

_GRACE_SECONDS = 10


@dataclass(frozen=True)
class Services:
    """Everything that runs WTB's own code, given the addresses of what it stands on."""

    env: Mapping[str, str]
    """The whole configuration, secrets included."""
    flower_env: Mapping[str, str]
    """Who may enter Flower."""
    api_port: int
    flower_port: int
    run_dir: Path
    """Working folder of the services: a folder of the caller could hide installed modules."""
    project: Path | None

    def parts(self) -> Iterator[PartSpec]:
        """Migrations first, then everything at once."""
        yield self._part("migrations", *_wtb("db", "upgrade"), once=True, after=("postgres",))
        if self.project:
            yield self._part(
                "workflows",
                *_wtb("workflows", "sync"),
                once=True,
                optional=True,
                after=("migrations",),
            )
        yield self._part("api", *self._api(), ready=answers_http(self.api_port, "/health"))
        yield self._part("worker", *self._worker())
        yield self._part("beat", *self._beat())
        yield self._part(
            "flower",
            *self._flower(),
            env=self.flower_env,
            ready=answers_http(self.flower_port, "/healthcheck"),
        )

    def _part(
        self,
        name: str,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        ready: Probe | None = None,
        once: bool = False,
        optional: bool = False,
        after: tuple[str, ...] = ("migrations", "redis"),
    ) -> PartSpec:
        return PartSpec(
            name=name,
            argv=(sys.executable, "-m", *arguments),
            cwd=self.run_dir,
            env={**self.env, **(env or {})},
            ready=ready,
            once=once,
            optional=optional,
            after=after,
        )

    def _api(self) -> tuple[str, ...]:
        return (
            "uvicorn", "api.app:create_app", "--factory", "--host", "127.0.0.1",
            "--port", str(self.api_port), "--loop", "uvloop", "--http", "httptools",
            "--ws-max-size", "65536", "--no-access-log",
            "--timeout-graceful-shutdown", str(_GRACE_SECONDS),
        )  # fmt: skip

    def _worker(self) -> tuple[str, ...]:
        return _celery(
            "worker", "--concurrency", "3", "--loglevel", "WARNING",
            "--without-gossip", "--without-mingle", "--hostname", "worker@%h",
        )  # fmt: skip

    def _beat(self) -> tuple[str, ...]:
        schedule = self.run_dir / "beat-schedule"
        return _celery("beat", "--loglevel", "WARNING", "--schedule", str(schedule), "--pidfile=")

    def _flower(self) -> tuple[str, ...]:
        return _celery("flower", "--address=127.0.0.1", f"--port={self.flower_port}")


def _wtb(*command: str) -> tuple[str, ...]:
    return ("wtb_async.cli.main", *command)


def _celery(*command: str) -> tuple[str, ...]:
    return ("celery", "-A", "workers.celery_app", *command)
