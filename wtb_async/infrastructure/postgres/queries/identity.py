"""Objects may be addressed by name or by id."""

from uuid import UUID

from sqlalchemy import ColumnElement, Table


def named_or_id(table: Table, name_or_id: str | UUID) -> ColumnElement[bool]:
    """The condition that picks the object; text that reads as a UUID is an id."""
    if isinstance(name_or_id, UUID):
        return table.c.id == name_or_id
    try:
        return table.c.id == UUID(name_or_id)
    except ValueError:
        return table.c.name == name_or_id
