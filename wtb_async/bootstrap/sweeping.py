"""How machines get rid of workspaces: each looks after its own, at the start and now and then."""

import asyncio
import socket

import structlog

from wtb_async.application.files.sweep_workspaces import sweep_workspaces
from wtb_async.bootstrap.platform import Platform
from wtb_async.domain.errors import TransientError
from wtb_async.infrastructure.workspaces.sweep import SweptWorkspaces

log = structlog.get_logger(__name__)


async def sweep_this_machine(platform: Platform) -> int:
    """Remove the workspaces on this machine that no execution needs any more."""
    disk = SweptWorkspaces(platform.settings.files.folder, platform.files.threads)
    return await sweep_workspaces(platform.database.unit_of_work, disk, host=socket.gethostname())


async def sweep_forever(platform: Platform) -> None:
    """Do so at once, and again every now and then."""
    while True:
        try:
            removed = await sweep_this_machine(platform)
            log.info("workspaces_swept", removed=removed)
        except (TransientError, OSError) as error:
            log.warning("workspaces_not_swept", reason=str(error))
        await asyncio.sleep(platform.settings.files.sweep_seconds)
