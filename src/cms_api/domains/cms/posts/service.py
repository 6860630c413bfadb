"""Posts, on the document engine."""

from typing import Any

from cms_api.domains.cms.content_types.ports import AddressRepository
from cms_api.domains.cms.documents.articles import Articles
from cms_api.domains.cms.documents.content import PostContent
from cms_api.domains.cms.documents.model import ContentType, Document
from cms_api.domains.cms.posts.interface import POSTS, PostChanges, PostService, PostView
from cms_api.kernel.actor import Actor
from cms_api.kernel.unit_of_work import UnitOfWork

POST = ContentType(key="post", content=PostContent, fields=PostContent.__struct_fields__)


class Posts(Articles[PostContent, PostChanges, PostView], PostService):
    """The service of posts."""

    kind = POST
    listing = POSTS

    async def hold_addresses(self, uow: UnitOfWork) -> None:
        await uow.repository(AddressRepository).hold_posts()

    def _view(self, actor: Actor, document: Document[PostContent], common: dict[str, Any]) -> PostView:
        del actor
        draft, article = document.draft, self._article(document, common)
        return PostView(
            categories=draft.categories,
            tags=draft.tags,
            is_sticky=draft.is_sticky,
            **article,
        )
