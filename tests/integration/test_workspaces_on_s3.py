"""Files that were written on one machine are there on another one, by way of a bucket."""

from pathlib import Path
from uuid import uuid4

import pytest
from blob_stores import BUCKET
from workshops import Workshop, output_of, workshop

from wtb_async.domain.execution import ExecutionStatus
from wtb_async.infrastructure.postgres.database import Database

WRITE = "Path(workspace, 'out.txt').write_text('from the first machine')"
READ = "said.append(Path(workspace, 'out.txt').read_text())"


async def test_a_run_goes_on_with_its_files_on_a_machine_that_has_none_of_them(
    database: Database,
    database_url: str,
    tmp_path: Path,
    s3_endpoint: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WTB_FILES__STORE_URL", f"s3://{BUCKET}/{uuid4().hex}")
    monkeypatch.setenv("WTB_FILES__STORE_ENDPOINT", s3_endpoint)
    async with workshop(database, database_url, tmp_path / "one") as first:
        done = await first.run(first=WRITE, second=READ)
        await first.bench.rollback(done.id, before_node="second")
        assert contents(first) == []
    async with workshop(database, database_url, tmp_path / "other") as other:
        again = await other.bench.resume(done.id)
        assert again.status is ExecutionStatus.COMPLETED
        assert output_of(again)["said"] == ["from the first machine"]
        assert await other.bench.files.read(again.id, "out.txt") == b"from the first machine"


def contents(shop: Workshop) -> list[Path]:
    """The blobs that the machine has kept for itself, other than copies of the bucket's."""
    return [path for path in shop.folder.glob("objects/*/*") if path.is_file()]
