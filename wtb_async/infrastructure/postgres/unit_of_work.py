"""The unit of work on an async SQLAlchemy session."""

from types import TracebackType
from typing import Self

from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from wtb_async.domain.errors import TransientError
from wtb_async.infrastructure.postgres.batch_case_repository import PostgresBatchCaseRepository
from wtb_async.infrastructure.postgres.batch_execution_repository import (
    PostgresBatchExecutionRepository,
)
from wtb_async.infrastructure.postgres.batch_test_repository import PostgresBatchTestRepository
from wtb_async.infrastructure.postgres.bulk import BulkWriter
from wtb_async.infrastructure.postgres.dataset_repository import PostgresDatasetRepository
from wtb_async.infrastructure.postgres.execution_repository import PostgresExecutionRepository
from wtb_async.infrastructure.postgres.file_repository import PostgresFileRepository
from wtb_async.infrastructure.postgres.garbage_repository import PostgresGarbageRepository
from wtb_async.infrastructure.postgres.integrity_reports import (
    PostgresIntegrityReportRepository,
)
from wtb_async.infrastructure.postgres.journal import PostgresJournal
from wtb_async.infrastructure.postgres.outbox_repository import PostgresOutboxRepository
from wtb_async.infrastructure.postgres.repairs import PostgresRepairRepository
from wtb_async.infrastructure.postgres.run_repository import PostgresRunRepository
from wtb_async.infrastructure.postgres.runner_repository import PostgresRunnerRepository
from wtb_async.infrastructure.postgres.score_repository import PostgresScoreRepository
from wtb_async.infrastructure.postgres.test_case_repository import PostgresTestCaseRepository
from wtb_async.infrastructure.postgres.thread_repository import PostgresThreadRepository
from wtb_async.infrastructure.postgres.verification_repository import (
    PostgresVerificationRepository,
)
from wtb_async.infrastructure.postgres.workflow_repository import PostgresWorkflowRepository
from wtb_async.infrastructure.postgres.workspace_repository import PostgresWorkspaceRepository


class PostgresUnitOfWork:
    """One transaction over the repositories; leaving without `commit` rolls back.

    Aggregates go through the session. New rows of the hot path are collected and written by
    `commit` in one statement.
    """

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions

    async def __aenter__(self) -> Self:
        self._session = session = self._sessions()
        self._bulk = bulk = BulkWriter()
        self.journal = PostgresJournal(bulk)
        self.workflows = PostgresWorkflowRepository(session)
        self.executions = PostgresExecutionRepository(session)
        self.threads = PostgresThreadRepository(session)
        self.runs = PostgresRunRepository(session)
        self.runners = PostgresRunnerRepository(session)
        self.batch_tests = PostgresBatchTestRepository(session, bulk)
        self.batch_cases = PostgresBatchCaseRepository(session, bulk)
        self.batch_executions = PostgresBatchExecutionRepository(session)
        self.scores = PostgresScoreRepository(session)
        self.datasets = PostgresDatasetRepository(session, bulk)
        self.test_cases = PostgresTestCaseRepository(session)
        self.files = PostgresFileRepository(session)
        self.garbage = PostgresGarbageRepository(session)
        self.workspaces = PostgresWorkspaceRepository(session)
        self.outbox = PostgresOutboxRepository(session)
        self.integrity_reports = PostgresIntegrityReportRepository(session)
        self.repairs = PostgresRepairRepository(session)
        self.verifications = PostgresVerificationRepository(session)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._session.close()
        if isinstance(error, PoolTimeout):
            raise TransientError("every database connection is in use; try again") from error

    async def commit_each_statement(self) -> None:
        """From here on every statement is a transaction of its own, and needs no `commit`."""
        await self._session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})

    async def commit(self) -> None:
        """Write what was added and make it last. Raises AlreadyExists, TransientError."""
        await self._session.flush()
        connection = await self._session.connection()
        await self._bulk.flush(connection)
        await self.executions.flush(connection)
        await self._session.commit()
