"""`/datasets`: named test cases with versions, imported and exported as files."""

from collections.abc import AsyncIterable, AsyncIterator, Mapping

from wtb_async.domain.dataset import CaseFormat, ImportMode
from wtb_async.domain.json import JsonValue
from wtb_async.sdk.connection import Connection, Id, path_of
from wtb_async.sdk.dataset_models import CaseChanges, Dataset, DatasetVersion, TestCase


class Datasets:
    """The datasets of a server; each is addressed by its name or id.

    Every change makes a new version. Where a version can be given, none is the newest.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self, *, page_size: int = 100) -> AsyncIterator[Dataset]:
        """Walk the datasets, newest first."""
        return self._connection.pages(Dataset, path_of("datasets"), {}, page_size=page_size)

    async def get(self, dataset: Id) -> Dataset:
        """Read one dataset."""
        return await self._connection.get(Dataset, path_of("datasets", dataset))

    async def create(self, name: str, *, description: str = "") -> Dataset:
        """Make a dataset without cases."""
        body = {"name": name, "description": description}
        return await self._connection.post(Dataset, path_of("datasets"), body)

    async def describe(
        self, dataset: Id, *, name: str | None = None, description: str | None = None
    ) -> Dataset:
        """Rename or describe a dataset; what is None stays."""
        given = {"name": name, "description": description}
        body = {key: value for key, value in given.items() if value is not None}
        return await self._connection.send(Dataset, "PATCH", path_of("datasets", dataset), body)

    async def delete(self, dataset: Id) -> None:
        """Remove a dataset with all its versions; refused when batch tests ran on it."""
        await self._connection.delete(path_of("datasets", dataset))

    def versions(self, dataset: Id, *, page_size: int = 100) -> AsyncIterator[DatasetVersion]:
        """Walk the versions of a dataset, newest first."""
        path = path_of("datasets", dataset, "versions")
        return self._connection.pages(DatasetVersion, path, {}, page_size=page_size)

    def test_cases(
        self, dataset: Id, *, version: int | None = None, page_size: int = 100
    ) -> AsyncIterator[TestCase]:
        """Walk the cases of a version, in order."""
        path = path_of("datasets", dataset, "test-cases")
        return self._connection.pages(TestCase, path, {"version": version}, page_size=page_size)

    async def test_case(self, dataset: Id, case: str, *, version: int | None = None) -> TestCase:
        """Read one case."""
        path = path_of("datasets", dataset, "test-cases", case)
        return await self._connection.get(TestCase, path, {"version": version})

    async def edit_case(
        self,
        dataset: Id,
        case: str,
        given: Mapping[str, JsonValue],
        *,
        reference: JsonValue = None,
        metadata: Mapping[str, JsonValue] | None = None,
    ) -> CaseChanges:
        """Let a case read like this from a new version on; `given` is its input."""
        body = {"input": dict(given), "reference": reference, "metadata": dict(metadata or {})}
        path = path_of("datasets", dataset, "test-cases", case)
        return await self._connection.send(CaseChanges, "PUT", path, body)

    async def delete_case(self, dataset: Id, case: str) -> CaseChanges:
        """Leave a case out from a new version on."""
        path = path_of("datasets", dataset, "test-cases", case)
        return await self._connection.send(CaseChanges, "DELETE", path)

    async def import_cases(
        self,
        dataset: Id,
        content: bytes | AsyncIterable[bytes],
        case_format: CaseFormat = CaseFormat.JSONL,
        *,
        mode: ImportMode = ImportMode.APPEND,
    ) -> CaseChanges:
        """Take in a file: all of it, or nothing. `ApiError.errors` names the bad rows."""
        path = path_of("datasets", dataset, "test-cases")
        return await self._connection.upload(
            CaseChanges, path, content, case_format.media_type, {"mode": mode.value}
        )

    def export_cases(
        self,
        dataset: Id,
        case_format: CaseFormat = CaseFormat.JSONL,
        *,
        version: int | None = None,
    ) -> AsyncIterator[bytes]:
        """Read the cases of a version as a file, piece by piece."""
        path = path_of("datasets", dataset, "export")
        parameters = {"format": case_format.value, "version": version}
        return self._connection.download(path, parameters)
