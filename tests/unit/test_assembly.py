"""What the processes of a local stack are told."""

from pathlib import Path

from wtb_async.infrastructure.embedded.assembly import assemble
from wtb_async.infrastructure.embedded.layout import DataDirectory, RuntimeFolder
from wtb_async.infrastructure.embedded.settings import LocalStackSettings


def test_all_processes_keep_their_files_in_the_data_directory(tmp_path: Path) -> None:
    settings = LocalStackSettings(data_dir=tmp_path, port=0, flower_port=0)
    data = DataDirectory.at(tmp_path)
    data.create()
    plan = assemble(settings, data, RuntimeFolder(tmp_path / "runtime"))
    ours = [part for part in plan.parts if part.env and "WTB_DATABASE_URL" in part.env]
    assert len(ours) > 3
    assert {part.env["WTB_FILES__FOLDER"] for part in ours} == {str(data.files)}
