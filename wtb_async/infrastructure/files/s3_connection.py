"""How a bucket is reached."""

from datetime import timedelta
from typing import TYPE_CHECKING

from obstore.store import S3Store

if TYPE_CHECKING:
    from obstore.store import S3Config

PATIENCE = timedelta(seconds=20)
"""A request that fails is repeated for this time."""
REQUEST_TIMEOUT = timedelta(seconds=60)
"""One request moves a part of a file at most."""


def connect_s3(url: str, endpoint: str | None, *, patience: timedelta = PATIENCE) -> S3Store:
    """Prepare requests to `s3://bucket/prefix`; keys and region come from the `AWS_` variables.

    Args:
        url: whose prefix may be missing.
        endpoint: of a server that is not Amazon's; plain HTTP is accepted then.
        patience: failing requests are repeated for so long.
    """
    config: S3Config = {"endpoint": endpoint} if endpoint else {}
    return S3Store.from_url(
        url,
        config=config,
        client_options={"timeout": REQUEST_TIMEOUT, "allow_http": bool(endpoint)},
        retry_config={"max_retries": 8, "retry_timeout": patience},
    )
