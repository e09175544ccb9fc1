"""The data directory: whether it can hold a stack, and what it holds already."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

from wtb_async.infrastructure.embedded.doctor.finding import Finding, fine, wrong
from wtb_async.infrastructure.embedded.layout import DataDirectory
from wtb_async.infrastructure.embedded.postgres import MAJOR_VERSION
from wtb_async.infrastructure.embedded.record import read_record
from wtb_async.infrastructure.embedded.settings import LocalStackSettings

_MEGABYTE = 1_000_000
_DISK = 1_000 * _MEGABYTE
_PRIVATE = 0o700
_ELSEWHERE = "choose another folder with --data-dir"


def check_data_directory(settings: LocalStackSettings) -> Iterator[Finding]:
    """Permissions, file system, space, and traces of an earlier stack."""
    data = DataDirectory.at(settings.data_dir)
    existing = next(path for path in (data.path, *data.path.parents) if path.exists())
    yield _writable(data.path, existing)
    yield _space(existing)
    yield _cluster(data)
    yield _earlier_stack(data)


def _writable(path: Path, existing: Path) -> Finding:
    seen = f"{path} on {_file_system(existing)}"
    try:
        with tempfile.TemporaryDirectory(dir=existing) as attempt:
            mode = Path(attempt).stat().st_mode & 0o777
    except OSError as error:
        return wrong("data directory", f"{seen}: {error.strerror}", _ELSEWHERE)
    if mode != _PRIVATE:
        lost = f"{seen}, which does not keep files private"
        return wrong("data directory", lost, f"{_ELSEWHERE}, on a Linux file system")
    return fine("data directory", seen)


def _file_system(path: Path) -> str:
    mounts = psutil.disk_partitions(all=True)
    holding = [mount for mount in mounts if path.is_relative_to(mount.mountpoint)]
    if not holding:
        return "an unknown file system"
    return max(holding, key=lambda mount: len(mount.mountpoint)).fstype


def _space(existing: Path) -> Finding:
    free = shutil.disk_usage(existing).free
    seen = f"{free // _MEGABYTE} MB free"
    if free < _DISK:
        return wrong("disk", seen, f"free {_DISK // _MEGABYTE} MB there, or {_ELSEWHERE}")
    return fine("disk", seen)


def _cluster(data: DataDirectory) -> Finding:
    try:
        version = (data.postgres / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        return fine("database", "none yet; `wtb up` makes one")
    except OSError as error:
        return wrong(
            "database", f"unreadable: {error.strerror}", f"change its owner, or {_ELSEWHERE}"
        )
    if version != MAJOR_VERSION:
        return wrong("database", f"made by Postgres {version}", _ELSEWHERE)
    return fine("database", f"made by Postgres {version}")


def _earlier_stack(data: DataDirectory) -> Finding:
    record = read_record(data)
    if record is None:
        return fine("stack", "none runs here")
    if record.supervisor() is None:
        return fine("stack", "the last one was killed; the next `wtb up` clears what it left")
    if record.ready:
        return fine("stack", f"runs at {record.addresses.api_url}")
    return fine("stack", "is starting")
