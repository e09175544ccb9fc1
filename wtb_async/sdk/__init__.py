"""What Python programs use: a test bench, on a server or in this process."""

from wtb_async.sdk.bench import BatchExecutor, WTBTestBench
from wtb_async.sdk.client import WTBClient
from wtb_async.sdk.errors import ApiError
from wtb_async.sdk.parity import ParityChecker, ParityReport, Tolerance
from wtb_async.sdk.project import WorkflowProject
from wtb_async.sdk.sync import SyncTestBench

__all__ = [
    "ApiError",
    "BatchExecutor",
    "ParityChecker",
    "ParityReport",
    "SyncTestBench",
    "Tolerance",
    "WTBClient",
    "WTBTestBench",
    "WorkflowProject",
]
