"""Paths of files in URLs."""

from starlette.convertors import PathConvertor, register_url_convertor


class _WholePath(PathConvertor):
    regex = "(?s:.*)"


def whole_path(name: str) -> str:
    """A part of a route that takes all that is left of the URL, line breaks in names too."""
    register_url_convertor("whole_path", _WholePath())
    return f"{{{name}:whole_path}}"
