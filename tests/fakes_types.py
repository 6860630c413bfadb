"""Content types that are known from the start."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from cms_api.domains.cms.content_types.errors import TypeNotFound
from cms_api.domains.cms.documents.interface import DocumentService
from cms_api.domains.cms.documents.model import ContentType
from cms_api.domains.cms.documents.types import Catalogue, DocumentTypes
from cms_api.domains.cms.entries.described import EntryDescription
from cms_api.domains.cms.entries.interface import EntryService
from cms_api.domains.cms.pages.service import PAGE
from cms_api.domains.cms.posts.service import POST


class FixedTypes(DocumentTypes):
    """The built-in types; ``known`` may be filled in later."""

    def __init__(self, services: Mapping[str, DocumentService[Any, Any]] | None = None) -> None:
        self.known: dict[str, Any] = dict(services or {})
        self._kinds: dict[str, ContentType[Any]] = {kind.key: kind for kind in (POST, PAGE)}

    async def kind(self, key: str) -> ContentType[Any]:
        if (kind := self._kinds.get(key)) is None:
            raise TypeNotFound(key)
        return kind

    async def catalogue(self, key: str | None = None) -> Catalogue:
        if key is not None:
            raise TypeNotFound(key)
        return Catalogue("", {})

    async def entries(self, key: str) -> EntryService:
        raise TypeNotFound(key)

    async def fingerprint(self) -> str:
        return ""

    async def described(self) -> Sequence[EntryDescription]:
        return []

    async def services(self, keys: Collection[str]) -> Mapping[str, DocumentService[Any, Any]]:
        return {key: self.known[key] for key in keys if key in self.known}
