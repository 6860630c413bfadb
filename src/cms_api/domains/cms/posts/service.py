"""Posts, on the document engine."""

from typing import Any

from cms_api.domains.cms.documents.articles import Articles
from cms_api.domains.cms.documents.content import PostContent
from cms_api.domains.cms.documents.model import ContentType, Document
from cms_api.domains.cms.posts.interface import POSTS, PostChanges, PostService, PostView
from cms_api.kernel.actor import Actor

POST = ContentType(key="post", content=PostContent, fields=PostContent.__struct_fields__)


class Posts(Articles[PostContent, PostChanges, PostView], PostService):
    """The service of posts."""

    kind = POST
    listing = POSTS

    def _view(self, actor: Actor, document: Document[PostContent], common: dict[str, Any]) -> PostView:
        del actor
        draft, article = document.draft, self._article(document, common)
        return PostView(
            categories=draft.categories,
            tags=draft.tags,
            is_sticky=draft.is_sticky,
            **article,
        )
