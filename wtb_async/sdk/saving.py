"""Downloads on disk: whole or not at all."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from wtb_async.domain.errors import WtbError
from wtb_async.domain.file_path import shown_path

OnPiece = Callable[[int], None]
"""Told how many bytes have come, piece by piece."""

_SHOWN_OF_A_NAME = 50


class NotSaved(WtbError):
    """A file cannot be written where it was asked for."""

    code = "not_saved"


class AlreadyThere(NotSaved):
    """A file must not take the place of another."""

    code = "already_there"

    def __init__(self, file: Path) -> None:
        super().__init__(
            f"{shown_path(str(file))} is there already; choose another name, or overwrite it"
        )


def ignore_pieces(_size: int) -> None:
    """Nobody watches."""


def check_free(file: Path, *, overwrite: bool) -> None:
    """Raise AlreadyThere if something has this name that must not be overwritten."""
    if not overwrite and os.path.lexists(file):
        raise AlreadyThere(file)


async def save(
    pieces: AsyncIterator[bytes],
    file: Path,
    *,
    overwrite: bool = False,
    on_piece: OnPiece = ignore_pieces,
) -> Path:
    """Write a file under its name once all of it has come; its folder must exist.

    Raises:
        AlreadyThere: something has this name, and nothing was asked for.
        NotSaved: the disk does not take it.
    """
    check_free(file, overwrite=overwrite)
    # Beside its place, so that a broken connection leaves no half file under its name.
    part = file.with_name(f".{file.name[:_SHOWN_OF_A_NAME]}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as opened:
            await _write(pieces, opened, on_piece)
        check_free(file, overwrite=overwrite)
        part.replace(file)
    except OSError as error:
        raise NotSaved(f"cannot write {shown_path(str(file))}: {error.strerror}") from error
    finally:
        with suppress(OSError):  # It was not even begun.
            part.unlink(missing_ok=True)
    return file


async def _write(pieces: AsyncIterator[bytes], opened: BinaryIO, on_piece: OnPiece) -> None:
    async for piece in pieces:
        await asyncio.to_thread(opened.write, piece)
        on_piece(len(piece))
