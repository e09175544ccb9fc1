"""Which server a program talks to: the one in the environment, or the local stack."""

import os
from pathlib import Path

from wtb_async.domain.errors import WtbError
from wtb_async.infrastructure.embedded import find_stack
from wtb_async.sdk.client import WTBClient


class NoServer(WtbError):
    """There is no server to talk to."""

    code = "no_server"


def connect(data_dir: Path) -> WTBClient:
    """Return a client of the server in the environment, else of the stack in the data directory.

    Raises:
        NoServer: neither is there.
    """
    if url := os.environ.get("WTB_URL"):
        key = os.environ.get("WTB_API_KEY")
        if not key:
            raise NoServer(f"WTB_URL names {url}, but there is no key: set WTB_API_KEY too")
        return WTBClient(url, api_key=key)
    addresses = find_stack(data_dir)
    if addresses is None:
        raise NoServer(
            f'no stack runs in {data_dir}; run "wtb up" first, name another data directory, '
            "or set WTB_URL and WTB_API_KEY for a server elsewhere"
        )
    return WTBClient(addresses.api_url, api_key=addresses.api_key)
