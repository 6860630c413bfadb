"""Small resources: one table each, one row an entity."""

from collections.abc import Mapping
from dataclasses import fields
from itertools import count
from typing import Generic, TypeVar
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.adapters.sqlalchemy.base import copied, translating
from cms_api.domains.cms.documents.slugs import numbered
from cms_api.domains.cms.resources import Resource
from cms_api.kernel.errors import CmsError

R = TypeVar("R", bound=Resource)


class ResourceTable(Generic[R]):
    """The table of a resource whose columns are named like the entity's fields."""

    def __init__(self, session: AsyncSession, table: str, entity: type[R]) -> None:
        self._session = session
        self._table = table
        self._entity = entity
        self._columns = [field.name for field in fields(entity)]

    async def get(self, condition: str, **params: object) -> R | None:
        """The row that fulfils ``condition``, locked until the unit of work ends."""
        names = ", ".join(self._columns)
        found = await self._session.execute(
            text(f"SELECT {names} FROM {self._table} WHERE {condition} FOR UPDATE"),
            params,
        )
        row = found.mappings().one_or_none()
        return None if row is None else self._entity(**{name: row[name] for name in self._columns})

    async def add(self, entity: R, errors: Mapping[str, CmsError]) -> None:
        """Insert a row; ``errors`` says what a broken constraint means."""
        names, holders = ", ".join(self._columns), ", ".join(f":{name}" for name in self._columns)
        with translating(errors):
            await self._session.execute(
                text(f"INSERT INTO {self._table} ({names}) VALUES ({holders})"),
                copied(entity, self._columns),
            )

    async def save(self, entity: R, errors: Mapping[str, CmsError]) -> None:
        """Update a row; ``errors`` says what a broken constraint means."""
        pairs = ", ".join(f"{name} = :{name}" for name in self._columns if name != "id")
        with translating(errors):
            await self._session.execute(
                text(f"UPDATE {self._table} SET {pairs} WHERE id = :id"),
                copied(entity, self._columns),
            )

    async def delete(self, entity_id: UUID) -> None:
        """Delete a row. Its lock keeps new links away; those that there were have been dealt with."""
        await self._session.execute(text(f"DELETE FROM {self._table} WHERE id = :id"), {"id": entity_id})

    async def free_slug(self, base: str, *, scope: str, where: str = "true", **params: object) -> str:
        """The first free one of ``base``, ``base-2`` …; two that ask for the same one wait."""
        await lock(self._session, f"{self._table}:{scope}:{base}")
        taken = await self._session.scalars(
            text(f"SELECT slug FROM {self._table} WHERE {where} AND (slug = :base OR slug LIKE :like)"),
            {"base": base, "like": numbered_like(base), **params},
        )
        return first_free(base, set(taken))


async def lock(session: AsyncSession, name: str, *, shared: bool = False) -> None:
    """Wait until no other transaction holds the lock ``name``, and hold it to the end.

    One that is ``shared`` waits for those only that are not.
    """
    function = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
    await session.execute(text(f"SELECT {function}(hashtextextended(:name, 7025))"), {"name": name})


def numbered_like(base: str) -> str:
    """The LIKE pattern of ``base`` with a number behind it. A slug has no character that LIKE reads."""
    return numbered(base, 0)[:-1] + "%"


def first_free(base: str, taken: set[str]) -> str:
    """The first of ``base``, ``base-2`` … that is not ``taken``."""
    return next(slug for number in count(1) if (slug := numbered(base, number)) not in taken)
