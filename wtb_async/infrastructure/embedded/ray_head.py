"""A Ray head on loopback, as a part of the stack."""

import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wtb_async.infrastructure.embedded.parts import PartSpec

_OBJECT_STORE_BYTES = 100_000_000
_WRITTEN_WHEN_STARTED = "ray_current_cluster"


@dataclass(frozen=True)
class RayHead:
    """The head of a Ray cluster of one machine."""

    port: int
    token_file: Path
    temp_dir: Path

    @property
    def address(self) -> str:
        """What drivers connect to."""
        return f"127.0.0.1:{self.port}"

    def driver_env(self) -> dict[str, str]:
        """What the environment of every driver must say."""
        return {
            "RAY_ADDRESS": self.address,
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(self.token_file),
            # Ray listens on every interface unless it takes itself for a desktop system; drivers
            # must be of the same opinion or they hang.
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        }

    def part(self, *, cwd: Path, env: Mapping[str, str]) -> PartSpec:
        """The head as a part; SIGTERM to its leader ends the whole tree.

        Args:
            cwd: where the nodes of a project run; relative paths in them start here.
            env: what the runners need to know about the other parts.
        """
        return PartSpec(
            name="ray",
            argv=tuple(self._command()),
            cwd=cwd,
            env={**env, **self.driver_env(), "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0"},
            ready=self.accepts_drivers,
        )

    def _command(self) -> list[str]:
        return [
            # -P keeps the modules of the working folder from hiding installed ones.
            sys.executable, "-P", "-m", "ray.scripts.scripts", "start", "--head", "--block",
            f"--port={self.port}", f"--temp-dir={self.temp_dir}",
            f"--num-cpus={len(os.sched_getaffinity(0))}",
            f"--object-store-memory={_OBJECT_STORE_BYTES}",
            "--include-dashboard=false", "--include-log-monitor=false", "--disable-usage-stats",
        ]  # fmt: skip

    def accepts_drivers(self) -> bool:
        """Whether the control store accepts connections and every process of the head is up."""
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return (self.temp_dir / _WRITTEN_WHEN_STARTED).exists()
