"""Pages, on the document engine."""

from typing import Any

from cms_api.domains.cms.documents.articles import Articles
from cms_api.domains.cms.documents.content import PageContent
from cms_api.domains.cms.documents.model import ContentType, Document
from cms_api.domains.cms.pages.interface import PAGES, PageChanges, PageService, PageView
from cms_api.kernel.actor import Actor

PAGE = ContentType(key="page", content=PageContent, fields=PageContent.__struct_fields__, is_tree=True)


class Pages(Articles[PageContent, PageChanges, PageView], PageService):
    """The service of pages."""

    kind = PAGE
    listing = PAGES

    def _view(self, actor: Actor, document: Document[PageContent], common: dict[str, Any]) -> PageView:
        del actor
        draft, article = document.draft, self._article(document, common)
        return PageView(parent=draft.parent, menu_order=draft.menu_order, **article)
