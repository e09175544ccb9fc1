"""The JSON that crosses the system's edges, as types."""

from typing import Any

JsonValue = None | bool | int | float | str | list[Any] | dict[str, Any]
JsonObject = dict[str, Any]
