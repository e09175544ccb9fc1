"""Reads checkpoints to show them, without the graph and without its types."""

from wtb_async.infrastructure.checkpoints.serializer import StrictSerializer
from wtb_async.infrastructure.checkpoints.unpacker import Unpacker


class DisplayReader(StrictSerializer):
    """Reads an object of the user's as the data that it would be built from."""

    def _unpacker(self) -> Unpacker:
        return _FieldsUnpacker(())


class _FieldsUnpacker(Unpacker):
    def refuse(self, name: str, payload: object) -> object:  # noqa: ARG002
        return payload
