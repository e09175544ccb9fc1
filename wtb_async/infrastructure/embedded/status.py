"""How a stack is doing."""

from dataclasses import dataclass
from pathlib import Path

from wtb_async.infrastructure.embedded.layout import DataDirectory
from wtb_async.infrastructure.embedded.readiness import Readiness, read_readiness
from wtb_async.infrastructure.embedded.record import StackAddresses, read_record
from wtb_async.infrastructure.embedded.supervision import PartStatus, Supervisor


@dataclass(frozen=True)
class StackStatus:
    """One look at a running stack."""

    addresses: StackAddresses
    parts: tuple[PartStatus, ...]
    readiness: Readiness | None
    """What the API says; None when it does not answer."""

    @property
    def is_healthy(self) -> bool:
        """Everything can be used."""
        return self.readiness is not None and self.readiness.is_ready


def read_status(data_dir: Path) -> StackStatus | None:
    """The status of the stack of a data directory; None when it does not run."""
    record = read_record(DataDirectory.at(data_dir))
    if record is None or record.supervisor() is None:
        return None
    supervisor = Supervisor(record.runtime.socket)
    parts = tuple(supervisor.statuses()) if supervisor.answers() else ()
    return StackStatus(record.addresses, parts, read_readiness(record.addresses))
