"""Servers that come as Python packages; only their programs are used, so nothing is imported."""

from importlib.util import find_spec
from pathlib import Path

from wtb_async.infrastructure.embedded.errors import StackError


def package_folder(package: str) -> Path:
    """Where a package is installed; raises StackError when it is not."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise StackError(
            f"the package {package} is not installed; `pip install 'wtb-async[local]'` brings it, "
            "or give the address of a server (WTB_DATABASE_URL, WTB_REDIS_URL)"
        )
    return Path(spec.origin).parent
