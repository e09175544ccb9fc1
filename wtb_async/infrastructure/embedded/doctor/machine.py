"""Interpreter, programs, user, memory and ports of this machine."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import psutil

from wtb_async.infrastructure.embedded import postgres, redis
from wtb_async.infrastructure.embedded.doctor.finding import Finding, fine, wrong
from wtb_async.infrastructure.embedded.errors import StackError
from wtb_async.infrastructure.embedded.identity import unprivileged_identity
from wtb_async.infrastructure.embedded.parts import Identity
from wtb_async.infrastructure.embedded.ports import is_free
from wtb_async.infrastructure.embedded.record import find_stack
from wtb_async.infrastructure.embedded.settings import LocalStackSettings

_OLDEST_PYTHON = (3, 11)
_MEGABYTE = 1_000_000
_MEMORY = 1_500 * _MEGABYTE
_SHARED_MEMORY = 120 * _MEGABYTE
_INSTALL = "run `pip install 'wtb-async[local]'` in this environment"


def check_machine(settings: LocalStackSettings) -> Iterator[Finding]:
    """Everything that does not depend on the project."""
    yield _python()
    yield _system()
    if not settings.database_url:
        yield _program("postgres", lambda: postgres.binary("postgres"))
        yield _user()
    if not settings.redis_url:
        yield _program("redis", redis.server_binary)
    yield _package("supervisor")
    yield _package("ray")
    yield _memory()
    if not settings.ray_address:
        yield _shared_memory()
    yield from _ports(settings)


def _python() -> Finding:
    version = platform.python_version()
    if sys.version_info < _OLDEST_PYTHON:
        return wrong("python", version, "make the environment with Python 3.11 or newer")
    return fine("python", f"{version} at {sys.executable}")


def _system() -> Finding:
    seen = f"{platform.system()} {platform.release()} {platform.machine()}"
    if platform.system() != "Linux":
        return wrong(
            "system", seen, "the local stack needs Linux: use docker-compose.yml, or WSL 2"
        )
    return fine("system", seen)


def _program(name: str, locate: Callable[[], Path]) -> Finding:
    try:
        answer = subprocess.run(  # noqa: S603 - a program of an installed package
            [str(locate()), "--version"], capture_output=True, text=True, check=True
        )
    except StackError as error:
        return wrong(name, "not installed", str(error))
    except (OSError, subprocess.CalledProcessError) as error:
        return wrong(name, f"does not run: {error}", f"{_INSTALL} again, for this kind of machine")
    return fine(name, answer.stdout.strip())


def _package(name: str) -> Finding:
    if find_spec(name) is None:
        return wrong(name, "not installed", _INSTALL)
    return fine(name, "installed")


def _user() -> Finding:
    identity = unprivileged_identity()
    if identity is Identity.OWN:
        return fine("user", f"user id {os.geteuid()}")
    if identity is Identity.USER_NAMESPACE:
        return fine("user", "root; Postgres runs in a user namespace")
    return fine("user", "root without user namespaces; Postgres runs as the user nobody")


def _memory() -> Finding:
    available = psutil.virtual_memory().available
    seen = f"{available // _MEGABYTE} MB available"
    if available < _MEMORY:
        return wrong("memory", seen, f"free some: the stack needs {_MEMORY // _MEGABYTE} MB")
    return fine("memory", seen)


def _shared_memory() -> Finding:
    free = shutil.disk_usage("/dev/shm").free  # noqa: S108 - looked at, not written to
    seen = f"{free // _MEGABYTE} MB free in /dev/shm"
    if free < _SHARED_MEMORY:
        remedy = "Ray needs 120 MB there; in a container give it --shm-size=256m"
        return wrong("shared memory", seen, remedy)
    return fine("shared memory", seen)


def _ports(settings: LocalStackSettings) -> Iterator[Finding]:
    if find_stack(settings.data_dir):
        yield fine("ports", "in use by the stack that runs in this data directory")
        return
    for port, option in ((settings.port, "--port"), (settings.flower_port, "--flower-port")):
        if port and not is_free(port):
            remedy = f"end the process that listens there, or choose another with {option}"
            yield wrong(f"port {port}", "in use on 127.0.0.1", remedy)
        else:
            yield fine(f"port {port}", "free" if port else "any free one")
