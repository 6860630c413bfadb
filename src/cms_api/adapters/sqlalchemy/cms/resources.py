"""The repositories of authors, terms and media, and of the slugs that they had."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.adapters.sqlalchemy.cms.table import ResourceTable, lock
from cms_api.domains.cms.authors.errors import UserHasAuthor
from cms_api.domains.cms.authors.model import Author
from cms_api.domains.cms.authors.ports import AuthorRepository
from cms_api.domains.cms.documents.errors import HasChildren, InUse, SlugTaken
from cms_api.domains.cms.former_slugs import FormerSlugRepository, Kind
from cms_api.domains.cms.media.model import Asset
from cms_api.domains.cms.media.ports import MediaRepository
from cms_api.domains.cms.taxonomies.model import Taxonomy, Term
from cms_api.domains.cms.taxonomies.ports import TermRepository
from cms_api.kernel.errors import CmsError, invalid


class SqlAlchemyAuthors(AuthorRepository):
    """Authors in ``cms.authors``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._table = ResourceTable(session, "cms.authors", Author)

    async def get(self, author_id: UUID) -> Author | None:
        return await self._table.get("id = :id", id=author_id)

    async def of_user(self, user_id: UUID) -> Author | None:
        await lock(self._session, f"author of {user_id}")
        return await self._table.get("user_id = :user_id", user_id=user_id)

    async def user_ids(self, ids: Collection[UUID]) -> frozenset[UUID]:
        found = await self._session.scalars(
            text("SELECT user_id FROM cms.authors WHERE id = ANY(:ids) AND user_id IS NOT NULL"),
            {"ids": list(ids)},
        )
        return frozenset(found)

    async def add(self, author: Author) -> None:
        await self._table.add(author, _author_errors(author))

    async def save(self, author: Author) -> None:
        await self._table.save(author, _author_errors(author))

    async def delete(self, author: Author) -> None:
        await self._table.delete(author.id)

    async def free_slug(self, base: str) -> str:
        return await self._table.free_slug(base, scope="")


def _author_errors(author: Author) -> dict[str, CmsError]:
    return {
        "uq_authors_slug": SlugTaken(author.slug),
        "uq_authors_user_id": UserHasAuthor(),
        "fk_authors_avatar_id_media": invalid(
            "/avatar_id", "unknown_reference", "There is no file with this id."
        ),
    }


class SqlAlchemyTerms(TermRepository):
    """Terms in ``cms.terms``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._table = ResourceTable(session, "cms.terms", Term)

    async def get(self, taxonomy: Taxonomy, term_id: UUID) -> Term | None:
        return await self._table.get("taxonomy = :taxonomy AND id = :id", taxonomy=taxonomy, id=term_id)

    async def find(self, taxonomy: Taxonomy, slug: str) -> Term | None:
        return await self._table.get("taxonomy = :taxonomy AND slug = :slug", taxonomy=taxonomy, slug=slug)

    async def add(self, term: Term) -> None:
        await self._table.add(term, _term_errors(term))

    async def save(self, term: Term) -> None:
        await self._table.save(term, _term_errors(term))

    async def delete(self, term: Term) -> None:
        children = await self._session.scalar(
            text("SELECT count(*) FROM cms.terms WHERE parent_id = :id"), {"id": term.id}
        )
        if children:
            raise HasChildren(children)
        await self._table.delete(term.id)

    async def is_below(self, term_id: UUID, ancestor: UUID) -> bool:
        await lock(self._session, "tree of categories")
        found = await self._session.scalar(
            text(
                """
                WITH RECURSIVE up AS (
                    SELECT id, parent_id FROM cms.terms WHERE id = :id
                    UNION SELECT t.id, t.parent_id FROM cms.terms t JOIN up ON t.id = up.parent_id)
                SELECT EXISTS (SELECT FROM up WHERE id = :ancestor)
                """
            ),
            {"id": term_id, "ancestor": ancestor},
        )
        return bool(found)

    async def free_slug(self, taxonomy: Taxonomy, base: str) -> str:
        return await self._table.free_slug(
            base, scope=taxonomy, where="taxonomy = :taxonomy", taxonomy=taxonomy
        )


def _term_errors(term: Term) -> dict[str, CmsError]:
    return {
        "uq_terms_slug": SlugTaken(term.slug),
        "fk_terms_parent": invalid("/parent_id", "unknown_reference", "There is no category with this id."),
        "ck_terms_only_categories_nest": invalid("/parent_id", "not_nestable", "A tag has no parent."),
        "ck_terms_not_own_parent": invalid("/parent_id", "cycle", "A category can't hang below itself."),
    }


class SqlAlchemyMedia(MediaRepository):
    """Files' records in ``cms.media``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._table = ResourceTable(session, "cms.media", Asset)

    async def get(self, media_id: UUID) -> Asset | None:
        return await self._table.get("id = :id", id=media_id)

    async def add(self, asset: Asset) -> None:
        await self._table.add(asset, {})

    async def save(self, asset: Asset) -> None:
        await self._table.save(asset, {})

    async def delete(self, asset: Asset) -> None:
        number = await self._session.scalar(
            text(
                """
                SELECT (SELECT count(*) FROM cms.authors WHERE avatar_id = :id)
                    + (SELECT count(*) FROM cms.site_settings WHERE :id IN (logo_id, icon_id, image_id))
                """
            ),
            {"id": asset.id},
        )
        if number:
            raise InUse(number)
        await self._table.delete(asset.id)


class SqlAlchemyFormerSlugs(FormerSlugRepository):
    """Rows of ``cms.former_slugs``; foreign keys take them along with whose they are."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def put(self, kind: Kind, owner: UUID, *, slug: str, former: str | None = None) -> None:
        # Whoever had the slug until now has noted it: to have it, one had to wait for the end of that.
        await self._session.execute(
            text("DELETE FROM cms.former_slugs WHERE kind = :kind AND slug = :slug"),
            {"kind": kind, "slug": slug},
        )
        if former in (None, slug):
            return
        column = "author_id" if kind == "author" else "term_id"
        await self._session.execute(
            text(
                f"INSERT INTO cms.former_slugs (kind, slug, {column}) VALUES (:kind, :former, :owner)"
                f" ON CONFLICT (kind, slug) DO UPDATE SET {column} = excluded.{column}"
            ),
            {"kind": kind, "former": former, "owner": owner},
        )
