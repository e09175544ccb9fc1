"""How much the blob store holds."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from wtb_async.infrastructure.postgres.file_tables import file_blobs


async def stored_bytes(engine: AsyncEngine) -> int:
    """The bytes of all blobs that are stored."""
    query = select(func.coalesce(func.sum(file_blobs.c.size), 0)).where(
        file_blobs.c.stored_at.is_not(None)
    )
    async with engine.connect() as connection:
        return int((await connection.execute(query)).scalar_one())
