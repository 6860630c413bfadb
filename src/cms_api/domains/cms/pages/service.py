"""Pages, on the document engine, and their tree."""

from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET

from cms_api.domains.cms.delivery.interface import Delivered
from cms_api.domains.cms.delivery.service import NothingPublished
from cms_api.domains.cms.documents import policy
from cms_api.domains.cms.documents.access import may_look
from cms_api.domains.cms.documents.articles import Articles
from cms_api.domains.cms.documents.content import PageContent
from cms_api.domains.cms.documents.errors import DocumentNotFound
from cms_api.domains.cms.documents.model import ContentType, Document
from cms_api.domains.cms.documents.ports import DocumentRepository, ReferenceRepository
from cms_api.domains.cms.pages.errors import NoRoom
from cms_api.domains.cms.pages.interface import (
    PAGES,
    PageChanges,
    PageService,
    PageTreeService,
    PageView,
    Place,
    Tree,
)
from cms_api.domains.cms.pages.placing import orders, position
from cms_api.domains.cms.pages.ports import Spot, TreeQueries, TreeRepository
from cms_api.kernel.actor import Actor
from cms_api.kernel.errors import Faults
from cms_api.kernel.unit_of_work import UnitOfWork

PAGE = ContentType(key="page", content=PageContent, fields=PageContent.__struct_fields__, is_tree=True)


class Pages(Articles[PageContent, PageChanges, PageView], PageService):
    """The service of pages."""

    kind = PAGE
    listing = PAGES

    def _view(self, actor: Actor, document: Document[PageContent], common: dict[str, Any]) -> PageView:
        del actor
        draft, article = document.draft, self._article(document, common)
        return PageView(parent=draft.parent, menu_order=draft.menu_order, **article)

    async def place(
        self, uow: UnitOfWork, actor: Actor, document_id: UUID, place: Place, *, expected: int | None
    ) -> PageView:
        may_look(actor)
        documents, tree = uow.repository(DocumentRepository), uow.repository(TreeRepository)
        await uow.repository(ReferenceRepository).lock_tree()
        if (spot := await tree.spot(document_id)) is None:
            raise DocumentNotFound
        if place.parent is not UNSET:
            spot = Spot(parent=place.parent, locale=spot.locale)
        found = await tree.siblings(spot)
        now = next((one.order for one in found if one.id == document_id), None)
        siblings = [one for one in found if one.id != document_id]
        # Who gets a new order is worked out before anything is locked, so that all rows are locked
        # in the order that everybody keeps to. What is wrong is said to those who may.
        faults, chosen, full = Faults(), dict[UUID, int](), None
        try:
            with faults.noted():
                at = position(siblings, document_id, place)
                chosen = orders(siblings, at, document_id, now or 0)
        except NoRoom as error:
            full = error
        await documents.lock([document_id, *chosen])
        page = await self._of(uow, actor, document_id, policy.EDIT, expected)
        content = msgspec.structs.replace(
            page.draft, parent=spot.parent, menu_order=chosen.pop(document_id, page.draft.menu_order)
        )
        await self._check(uow, page, content, faults)
        if full is not None:
            raise full
        await self._redraft(uow, actor, page, content)
        for sibling_id, order in chosen.items():
            sibling = await self._of(uow, actor, sibling_id, policy.EDIT, None)
            if sibling.trashed_at is None and sibling.archived_at is None:
                content = msgspec.structs.replace(sibling.draft, menu_order=order)
                await self._redraft(uow, actor, sibling, content)
        return await self._shown(actor, page)


class PageTree(PageTreeService):
    """The service of the tree."""

    def __init__(self, *, queries: TreeQueries, default_locale: str) -> None:
        self._queries = queries
        self._default_locale = default_locale

    async def drafts(self, actor: Actor, *, root: UUID | None, depth: int, locale: str | None) -> Tree:
        actor.require(policy.READ)
        tree = await self._queries.drafts(root, depth, locale or self._default_locale)
        if tree is None:
            raise DocumentNotFound
        return tree

    async def live(self, *, root: UUID | None, depth: int, locale: str | None) -> Delivered:
        tree = await self._queries.live(root, depth, locale or self._default_locale)
        if tree is None:
            raise NothingPublished
        items = ",".join(item for item, _ in tree.items)
        used = ",".join(str(one) for _, one in tree.items)
        return Delivered(f'{{"items":[{items}],"is_cut":{str(tree.is_cut).lower()}}}', "", used)
