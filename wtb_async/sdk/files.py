"""`/executions/{id}/files`: what an execution's workspace held, at any checkpoint."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from wtb_async.application.files.archive_formats import ArchiveFormat
from wtb_async.sdk.connection import Connection, Id, path_of
from wtb_async.sdk.file_models import File, FileDifference
from wtb_async.sdk.saving import OnPiece, ignore_pieces, save


class Files:
    """The files of executions.

    Wherever a checkpoint can be given, none is the newest files of the execution.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(
        self,
        execution_id: Id,
        *,
        checkpoint_id: Id | None = None,
        prefix: str | None = None,
        page_size: int = 200,
    ) -> AsyncIterator[File]:
        """Walk the files, by the bytes of their paths, that begin with a text."""
        parameters = {"checkpoint_id": checkpoint_id, "prefix": prefix}
        path = path_of("executions", execution_id, "files")
        return self._connection.pages(File, path, parameters, page_size=page_size)

    async def read(self, execution_id: Id, path: str, *, checkpoint_id: Id | None = None) -> bytes:
        """Read the content of a file that fits into memory."""
        pieces = self.stream(execution_id, path, checkpoint_id=checkpoint_id)
        return b"".join([piece async for piece in pieces])

    def stream(
        self, execution_id: Id, path: str, *, checkpoint_id: Id | None = None
    ) -> AsyncIterator[bytes]:
        """Read the content of a file, piece by piece."""
        parameters = {"checkpoint_id": checkpoint_id}
        url = path_of("executions", execution_id, "files", path)
        return self._connection.download(url, parameters)

    async def download(
        self,
        execution_id: Id,
        path: str,
        file: str | Path,
        *,
        checkpoint_id: Id | None = None,
        overwrite: bool = False,
        on_piece: OnPiece = ignore_pieces,
    ) -> Path:
        """Save the content of a file, whole or not at all, in a folder that exists.

        Args:
            execution_id: the execution.
            path: of the file in the workspace.
            file: the name to save it under.
            checkpoint_id: a root checkpoint of the execution.
            overwrite: whether it may take the place of another file.
            on_piece: told how many bytes have come, piece by piece.

        Raises:
            NotSaved: there is a file already, or it cannot be written.
        """
        pieces = self.stream(execution_id, path, checkpoint_id=checkpoint_id)
        return await save(pieces, Path(file), overwrite=overwrite, on_piece=on_piece)

    def diff(
        self,
        execution_id: Id,
        *,
        from_checkpoint: Id | None = None,
        to_checkpoint: Id | None = None,
        against: Id | None = None,
        paths: Sequence[str] = (),
        page_size: int = 100,
    ) -> AsyncIterator[FileDifference]:
        """Walk the paths that differ between two moments, by the bytes of their paths.

        Args:
            execution_id: the execution.
            from_checkpoint: the earlier moment; needed unless another execution is given.
            to_checkpoint: the later moment.
            against: another execution, whose files are the later ones then.
            paths: look at these only, and at what is below them.
            page_size: how many to ask for at once.
        """
        parameters = {
            "from": from_checkpoint,
            "to": to_checkpoint,
            "against": against,
            "path": paths,
        }
        path = path_of("executions", execution_id, "files", "diff")
        return self._connection.pages(FileDifference, path, parameters, page_size=page_size)

    async def download_archive(
        self,
        execution_id: Id,
        file: str | Path,
        archive_format: ArchiveFormat | str = ArchiveFormat.TAR_GZ,
        *,
        checkpoint_id: Id | None = None,
        overwrite: bool = False,
        on_piece: OnPiece = ignore_pieces,
    ) -> Path:
        """Save all files as one archive, `tar.gz` or `zip`; otherwise as `download`."""
        parameters = {"checkpoint_id": checkpoint_id, "format": ArchiveFormat(archive_format).value}
        path = path_of("executions", execution_id, "archive")
        pieces = self._connection.download(path, parameters)
        return await save(pieces, Path(file), overwrite=overwrite, on_piece=on_piece)
