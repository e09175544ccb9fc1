"""What somebody who can write to the checkpoint tables would put there to run code of theirs."""

import json
import os
import pickle
from pathlib import Path
from typing import Any

import ormsgpack
from langgraph.checkpoint.serde.jsonplus import (
    EXT_CONSTRUCTOR_KW_ARGS,
    EXT_CONSTRUCTOR_POS_ARGS,
    EXT_CONSTRUCTOR_SINGLE_ARG,
    EXT_METHOD_SINGLE_ARG,
    EXT_PYDANTIC_V1,
    EXT_PYDANTIC_V2,
)

Row = tuple[str, bytes]
"""A kind of serialisation, and its bytes, as the tables have them."""


def extension(code: int, *content: object) -> ormsgpack.Ext:
    return ormsgpack.Ext(code, ormsgpack.packb(content))


def packed(value: object) -> Row:
    return "msgpack", ormsgpack.packb(value)


class _Touch:
    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch '{self._mark}'",)


def hostile_rows(mark: Path) -> dict[str, Row]:
    """Rows by what they try; one that executes anything leaves the file `mark` behind."""
    command = f"touch '{mark}'"
    shell = extension(EXT_CONSTRUCTOR_SINGLE_ARG, "os", "system", command)
    popen = {"args": command, "shell": True}
    return {
        "a call with one argument": packed(shell),
        "a call with many arguments": packed(
            extension(EXT_CONSTRUCTOR_POS_ARGS, "os", "system", [command])
        ),
        "a call with named arguments": packed(
            extension(EXT_CONSTRUCTOR_KW_ARGS, "subprocess", "Popen", popen)
        ),
        "a method": packed(extension(EXT_METHOD_SINGLE_ARG, "pathlib", "Path", str(mark), "touch")),
        "a first Pydantic": packed(extension(EXT_PYDANTIC_V1, "subprocess", "Popen", popen)),
        "a Pydantic": packed(extension(EXT_PYDANTIC_V2, "subprocess", "Popen", popen)),
        "a call in a list": packed([1, {"deep": [shell]}]),
        "a call in a Send": packed(
            extension(EXT_CONSTRUCTOR_POS_ARGS, "langgraph.types", "Send", ["node", shell])
        ),
        "a pickle": ("pickle", pickle.dumps(_Touch(mark))),
        "JSON": (
            "json",
            json.dumps(
                {"lc": 2, "type": "constructor", "id": ["os", "system"], "args": [command]}
            ).encode(),
        ),
    }
