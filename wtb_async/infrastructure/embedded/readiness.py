"""What the API says about itself and everything that it stands on."""

import http.client
import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlsplit

from wtb_async.domain.json import JsonObject
from wtb_async.infrastructure.embedded.parts import Probe
from wtb_async.infrastructure.embedded.record import StackAddresses

_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True)
class Readiness:
    """The answer of `GET /ready`."""

    is_ready: bool
    parts: Mapping[str, JsonObject]
    """Per part at least its `state`."""

    def complaint(self) -> str:
        """The parts that are not up, in words."""
        down = [
            f"{name} is {part.get('state')}"
            for name, part in self.parts.items()
            if part.get("state") != "up"
        ]
        return ", ".join(down) or "the API says not_ready"


def read_readiness(addresses: StackAddresses) -> Readiness | None:
    """Ask the API; None when it does not answer."""
    address = urlsplit(addresses.api_url)
    key = {"Authorization": f"Bearer {addresses.api_key}"}
    try:
        status, body = _get(address.port or 80, "/ready", key)
        return Readiness(status == http.client.OK, json.loads(body).get("parts", {}))
    except (OSError, http.client.HTTPException, ValueError):
        return None


def why_not_ready(addresses: StackAddresses) -> str | None:
    """Why the stack cannot be used yet; None when it can."""
    readiness = read_readiness(addresses)
    if readiness is None:
        return "the API does not answer"
    return None if readiness.is_ready else readiness.complaint()


def answers_http(port: int, path: str) -> Probe:
    """A probe that asks whether a loopback server answers this path with success."""

    def answers() -> bool:
        try:
            status, _ = _get(port, path, {})
        except (OSError, http.client.HTTPException):
            return False
        return status == http.client.OK

    return answers


def _get(port: int, path: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
    # Asked many times a second while the parts compete for the processor: nothing heavier than
    # the standard library's client.
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_SECONDS)) as server:
        server.request("GET", path, headers=dict(headers))
        answer = server.getresponse()
        return answer.status, answer.read()
