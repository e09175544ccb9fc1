"""Values in JSON by their dotted paths: `answer`, `documents.0.topic`."""

from wtb_async.domain.json import JsonValue


def picked(value: JsonValue, path: str | None, name: str) -> JsonValue:
    """The value at a path; None is the whole. Raises LookupError, calling the whole `name`."""
    if path is None:
        return value
    for part in path.split("."):
        match value:
            case dict() if part in value:
                value = value[part]
            case list() if part.isdecimal() and int(part) < len(value):
                value = value[int(part)]
            case _:
                raise LookupError(f"{name} has no {path!r}")
    return value
