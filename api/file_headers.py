"""What a browser is told about a file that somebody's node has written: nothing of it may run."""

from mimetypes import guess_type
from urllib.parse import quote

UNKNOWN_TYPE = "application/octet-stream"

_SHOWN = frozenset(
    {
        "application/json",
        "image/gif",
        "image/jpeg",
        "image/png",
        "image/webp",
        "text/csv",
        "text/markdown",
        "text/plain",
    }
)
"""What a browser only shows; everything else it is told to save."""


def media_type_of(path: str) -> str:
    """What the content should be, by the file's name."""
    kind, encoding = guess_type(path)
    return UNKNOWN_TYPE if kind is None or encoding else kind


def safe_headers(name: str, media_type: str) -> dict[str, str]:
    """Headers under which a content with this name and type is harmless."""
    return {
        **_named("inline" if media_type in _SHOWN else "attachment", name),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
    }


def saved_as(name: str) -> dict[str, str]:
    """The header that lets a browser save what it gets under a name."""
    return _named("attachment", name)


def _named(disposition: str, name: str) -> dict[str, str]:
    quoted = quote(name, safe="")
    return {"Content-Disposition": f"{disposition}; filename*=UTF-8''{quoted}"}
