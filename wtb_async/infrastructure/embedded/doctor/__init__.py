"""Finding out why a stack does not start, before it is started."""

from collections.abc import Iterator

from wtb_async.infrastructure.embedded.doctor.addresses import check_addresses
from wtb_async.infrastructure.embedded.doctor.finding import Finding
from wtb_async.infrastructure.embedded.doctor.folder import check_data_directory
from wtb_async.infrastructure.embedded.doctor.machine import check_machine
from wtb_async.infrastructure.embedded.doctor.project import check_project
from wtb_async.infrastructure.embedded.settings import LocalStackSettings

__all__ = ["Finding", "examine"]


def examine(settings: LocalStackSettings) -> Iterator[Finding]:
    """Look at everything that the stack of these settings needs, cheapest first."""
    yield from check_machine(settings)
    yield from check_data_directory(settings)
    if settings.project:
        yield from check_project(settings.project)
    yield from check_addresses(settings)
