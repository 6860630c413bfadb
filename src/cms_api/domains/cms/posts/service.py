"""Posts, on the document engine."""

from typing import Any

from cms_api.domains.cms.documents.articles import Articles
from cms_api.domains.cms.documents.content import PostContent
from cms_api.domains.cms.documents.model import ContentType, Document
from cms_api.domains.cms.posts.interface import PostChanges, PostService, PostView

POST = ContentType(key="post", content=PostContent, fields=PostContent.__struct_fields__)


class Posts(Articles[PostContent, PostChanges, PostView], PostService):
    """The service of posts."""

    kind = POST

    def _view(self, document: Document[PostContent], common: dict[str, Any]) -> PostView:
        draft, article = document.draft, self._article(document, common)
        return PostView(
            categories=draft.categories,
            tags=draft.tags,
            is_sticky=draft.is_sticky,
            **article,
        )
