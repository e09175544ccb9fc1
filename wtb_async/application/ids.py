"""Identity: time-ordered UUIDs, so that primary keys grow at one end of their index."""

from uuid_utils.compat import uuid7 as new_id

__all__ = ["new_id"]
