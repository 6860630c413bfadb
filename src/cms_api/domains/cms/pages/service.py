"""Pages, on the document engine."""

from typing import Any

from cms_api.domains.cms.documents.content import PageContent
from cms_api.domains.cms.documents.model import ContentType, Document
from cms_api.domains.cms.documents.service import Documents
from cms_api.domains.cms.pages.interface import PageChanges, PageService, PageView

PAGE = ContentType("page", PageContent, is_tree=True)


class Pages(Documents[PageContent, PageChanges, PageView], PageService):
    """The service of pages."""

    kind = PAGE

    def _view(self, document: Document[PageContent], common: dict[str, Any]) -> PageView:
        draft = document.draft
        return PageView(parent=draft.parent, menu_order=draft.menu_order, **common)
