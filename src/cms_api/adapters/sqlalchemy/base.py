"""What all tables and repositories share."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

import msgspec
from sqlalchemy import MetaData
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase

from cms_api.kernel.errors import CmsError


class Base(DeclarativeBase):
    """The rows of all domains; each table names its schema."""

    metadata: ClassVar[MetaData] = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def constraint_of(error: IntegrityError) -> str | None:
    """The name of the constraint that a statement broke, as PostgreSQL reports it."""
    return getattr(getattr(error.orig, "diag", None), "constraint_name", None)


@contextmanager
def translating(names: Mapping[str, CmsError]) -> Iterator[None]:
    """Raise ``names[constraint]`` in place of the database's error about that constraint."""
    try:
        yield
    except IntegrityError as error:
        if (known := names.get(constraint_of(error) or "")) is not None:
            raise known from error
        raise


def json_text(value: object) -> str:
    """A value as JSON, to be sent to a column that holds it."""
    return msgspec.json.encode(value).decode()


def copied(source: object, names: Iterable[str]) -> dict[str, Any]:
    """The attributes ``names`` of a row or an entity, to make the other of."""
    return {name: getattr(source, name) for name in names}
