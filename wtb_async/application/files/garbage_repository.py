"""What the garbage collection asks of the database."""

from collections.abc import Collection
from typing import Protocol

from wtb_async.domain.file_commit import Blob


class GarbageRepository(Protocol):
    """File commits and blobs that nothing refers to, on the database's clock.

    A blob goes in two transactions. Once it is condemned, whoever claims it finds it missing and
    stores it again; so when the second one deletes the content but dies before its commit, nobody
    relies on a content that is gone.
    """

    async def drop_commits(self, unused_seconds: float, limit: int) -> int:
        """Delete commits older than this that no checkpoint leads to; answers how many.

        The limit counts commits that have no children; their ancestors go with them.
        """

    async def condemn_blobs(self, hash_prefix: str, unused_seconds: float, limit: int) -> int:
        """Condemn blobs that nothing refers to and nobody has claimed for so long.

        Only those whose hash begins so are looked at. Claims on condemned ones are lost. Answers
        how many were condemned.
        """

    async def condemn_unknown(self, blobs: Collection[Blob]) -> int:
        """Condemn those of these contents of the store that the database does not know."""

    async def drop_condemned(self, limit: int) -> list[str]:
        """Delete the rows of condemned blobs; who claims one waits until the transaction ends.

        The caller deletes the contents from the store before it commits.
        """
