"""The beat's collection, in a process like a worker's."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from blob_stores import store_content
from kept_files import KeptFiles

from wtb_async.bootstrap.files import ProcessFiles
from wtb_async.infrastructure.embedded import EmbeddedServices
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.settings import FileSettings

WORKER = """
from celery.signals import worker_process_init, worker_process_shutdown
from workers.celery_app import app

app.loader.import_default_modules()
for entry in app.conf.beat_schedule.values():
    assert entry["task"] in app.tasks, entry
worker_process_init.send(sender=None)
app.tasks[app.conf.beat_schedule["collect-garbage"]["task"]]()
worker_process_shutdown.send(sender=None)
"""


async def test_the_beat_collects_garbage_where_the_settings_say(
    database: Database, database_url: str, services: EmbeddedServices, tmp_path: Path
) -> None:
    files = ProcessFiles(FileSettings(folder=tmp_path / "files"), database)
    kept = KeptFiles(database, files.blobs, tmp_path)
    await kept.link(await kept.keep(b"of use"))
    await kept.keep(b"of no use")
    await store_content(files.blobs, tmp_path, b"unknown")
    await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", WORKER],
        env=os.environ
        | {
            "WTB_DATABASE_URL": database_url,
            "WTB_REDIS_URL": str(services.redis_url),
            "WTB_API_KEY": "key",
            "WTB_FILES__FOLDER": str(tmp_path / "files"),
            "WTB_FILES__GARBAGE_GRACE_SECONDS": "0.000001",
        },
        check=True,
        timeout=60,
    )
    assert [blob.size async for blob, _ in files.blobs.stored()] == [len(b"of use")]
    files.close()
