"""Deciding about authors."""

from collections.abc import Iterable
from uuid import UUID

import msgspec

from cms_api.domains.auth.api import UserService
from cms_api.domains.cms.authors.interface import AuthorChanges, AuthorService, AuthorView
from cms_api.domains.cms.authors.model import Author
from cms_api.domains.cms.authors.ports import AuthorQueries, AuthorRepository
from cms_api.domains.cms.documents.deleting import Deletions
from cms_api.domains.cms.documents.policy import READ
from cms_api.domains.cms.documents.slugs import check_slug, make_slug
from cms_api.domains.cms.former_slugs import FormerSlugRepository
from cms_api.domains.cms.resources import ResourceNotFound, given
from cms_api.kernel.actor import SYSTEM, Actor
from cms_api.kernel.clock import Clock
from cms_api.kernel.errors import invalid
from cms_api.kernel.ids import new_id
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Page, PageRequest

WRITE = "authors:write"
PERMISSIONS = {WRITE: "Create, change and delete authors."}


def view(author: Author) -> AuthorView:
    """The author as others see her."""
    return msgspec.convert(author, AuthorView, from_attributes=True)


class Authors(AuthorService):
    """The service of authors."""

    def __init__(
        self, *, clock: Clock, queries: AuthorQueries, users: UserService, deletions: Deletions
    ) -> None:
        self._clock = clock
        self._queries = queries
        self._deletions = deletions
        self._users = users

    async def create(self, uow: UnitOfWork, actor: Actor, changes: AuthorChanges) -> AuthorView:
        actor.require(WRITE)
        values = given(changes)
        if "name" not in values:
            raise invalid("/name", "required", "The field “name” is required.")
        authors = uow.repository(AuthorRepository)
        await self._check_user(uow, values.get("user_id"))
        if values.get("slug"):
            values["slug"] = check_slug(values["slug"])
        else:
            values["slug"] = await authors.free_slug(make_slug(values["name"]))
        now = self._clock.now()
        author = Author(id=new_id(), created_at=now, updated_at=now, **values)
        await authors.add(author)
        await uow.repository(FormerSlugRepository).put("author", author.id, slug=author.slug)
        uow.record(author.created().by(actor))
        return view(author)

    async def _check_user(self, uow: UnitOfWork, user_id: UUID | None) -> None:
        if user_id is not None and user_id not in await self._users.find_by_ids(uow, [user_id]):
            raise invalid("/user_id", "unknown_reference", "There is no user with this id.")

    async def get(self, actor: Actor, author_id: UUID) -> AuthorView:
        actor.require(READ)
        if (author := await self._queries.get(author_id)) is None:
            raise ResourceNotFound(Author.kind)
        return author

    async def list(self, actor: Actor, page: PageRequest) -> Page[AuthorView]:
        actor.require(READ)
        return await self._queries.list(page)

    async def update(
        self, uow: UnitOfWork, actor: Actor, author_id: UUID, changes: AuthorChanges, *, expected: int | None
    ) -> AuthorView:
        actor.require(WRITE)
        authors = uow.repository(AuthorRepository)
        author = await self._of(authors, author_id)
        values = given(changes)
        if "slug" in values:
            values["slug"] = check_slug(values["slug"])
        await self._check_user(uow, values.get("user_id"))
        former = author.slug
        updated = author.change(values, expected=expected, at=self._clock.now())
        if updated is not None:
            await authors.save(author)
            if author.slug != former:
                slugs = uow.repository(FormerSlugRepository)
                await slugs.put("author", author.id, slug=author.slug, former=former)
            uow.record(updated.by(actor))
        return view(author)

    async def delete(self, uow: UnitOfWork, actor: Actor, author_id: UUID, *, expected: int | None) -> None:
        actor.require(WRITE)
        authors = uow.repository(AuthorRepository)
        begun = await self._deletions.begin(uow, author_id, "delete")
        author = await self._of(authors, author_id)
        deleted = author.deleted(expected=expected)
        await self._deletions.carry_out(uow, actor, author_id, "delete", begun)
        await authors.delete(author)
        uow.record(deleted.by(actor))

    async def of_user(self, uow: UnitOfWork, user_id: UUID) -> UUID:
        authors = uow.repository(AuthorRepository)
        if (known := await authors.of_user(user_id)) is not None:
            return known.id
        user = (await self._users.find_by_ids(uow, [user_id]))[user_id]
        made = await self.create(uow, SYSTEM, AuthorChanges(name=user.name, user_id=user_id))
        return made.id

    async def users_of(self, uow: UnitOfWork, ids: Iterable[UUID]) -> frozenset[UUID]:
        return await uow.repository(AuthorRepository).user_ids(tuple(ids))

    async def _of(self, authors: AuthorRepository, author_id: UUID) -> Author:
        if (author := await authors.get(author_id)) is None:
            raise ResourceNotFound(Author.kind)
        return author
