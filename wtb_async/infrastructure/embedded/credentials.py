"""Passwords and keys of one data directory, made on first use."""

import json
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from wtb_async.infrastructure.embedded.errors import DataDirectoryUnusable
from wtb_async.infrastructure.embedded.layout import DataDirectory
from wtb_async.infrastructure.embedded.parts import write_private


def _random() -> str:
    # Hexadecimal, because these become parts of URLs and of configuration files.
    return secrets.token_hex(24)


@dataclass(frozen=True)
class Credentials:
    """What the parts of one stack show each other, and what its user shows them."""

    postgres_password: str = field(default_factory=_random, repr=False)
    redis_password: str = field(default_factory=_random, repr=False)
    ray_token: str = field(default_factory=_random, repr=False)
    api_key: str = field(default_factory=_random, repr=False)
    flower_password: str = field(default_factory=_random, repr=False)
    flower_user: str = "wtb"

    @classmethod
    def of(cls, data: DataDirectory) -> "Credentials":
        """The credentials of a data directory; the first call makes them."""
        if data.credentials.exists():
            return cls._read(data.credentials)
        made = cls()
        write_private(data.ray_token, made.ray_token)
        write_private(data.credentials, json.dumps(asdict(made), indent=2))
        return made

    @classmethod
    def _read(cls, path: Path) -> "Credentials":
        try:
            return cls(**json.loads(path.read_text()))
        except (ValueError, TypeError) as error:
            raise DataDirectoryUnusable(
                f"{path} is damaged; restore it, or remove the data directory to start anew"
            ) from error
