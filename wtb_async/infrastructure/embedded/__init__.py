"""The local stack: Postgres and Redis from wheels, a Ray head, and WTB's own processes."""

from wtb_async.infrastructure.embedded.errors import StackError
from wtb_async.infrastructure.embedded.record import StackAddresses, find_stack
from wtb_async.infrastructure.embedded.settings import LocalStackSettings
from wtb_async.infrastructure.embedded.stack import LocalStack
from wtb_async.infrastructure.embedded.standalone import EmbeddedServices, embedded_services
from wtb_async.infrastructure.embedded.startup import Progress, Report, Step
from wtb_async.infrastructure.embedded.status import StackStatus, read_status
from wtb_async.infrastructure.embedded.supervision import PartStatus

__all__ = [
    "EmbeddedServices",
    "LocalStack",
    "LocalStackSettings",
    "PartStatus",
    "Progress",
    "Report",
    "StackAddresses",
    "StackError",
    "StackStatus",
    "Step",
    "embedded_services",
    "find_stack",
    "read_status",
]
