"""The actor around the runner."""

import subprocess
import sys

MAKE_AND_IMPORT = """
import sys
from workers.actors.run_actor import RunActor
from wtb_async.settings import Settings

settings = Settings(
    database_url="postgresql://nobody@nowhere/none", redis_url="redis://nowhere", api_key="key"
)
assert "langgraph" not in sys.modules
RunActor(name="runner-1", pool="default", settings=settings.to_transfer())
from langgraph.checkpoint.serde._msgpack import STRICT_MSGPACK_ENABLED
print(STRICT_MSGPACK_ENABLED)
"""


def test_langgraph_is_imported_in_its_strict_mode() -> None:
    done = subprocess.run(
        [sys.executable, "-c", MAKE_AND_IMPORT], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True"]
