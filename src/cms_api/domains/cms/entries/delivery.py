"""Published entries: what may be asked of them, worked out from their types as they are by now."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal

from cms_api.domains.cms.content_types.fields import RELATIONS, walk
from cms_api.domains.cms.delivery.interface import Delivered, Kind
from cms_api.domains.cms.delivery.service import NothingPublished
from cms_api.domains.cms.documents.slugs import composed
from cms_api.domains.cms.documents.types import Catalogue, DocumentTypes, UntilChanged
from cms_api.domains.cms.entries.listing import public_listing_of
from cms_api.domains.cms.search.asking import searched
from cms_api.domains.cms.search.interface import Question
from cms_api.querying import Listing, Page, PageRequest, Selection

BUILT_IN: dict[str, Kind] = {"post": "posts", "page": "pages"}


class EntryQueries(ABC):
    """Published entries as JSON, encoded by the database: one statement a read."""

    @abstractmethod
    async def one(
        self,
        catalogue: Catalogue,
        key: str,
        by: Literal["id", "slug"],
        value: object,
        selection: Selection,
        locale: str,
    ) -> Delivered | None:
        """One entry."""

    @abstractmethod
    async def list(
        self, catalogue: Catalogue, key: str, page: PageRequest, selection: Selection
    ) -> Page[Delivered]:
        """A page of entries."""

    @abstractmethod
    async def search(
        self, catalogue: Catalogue, key: str, question: Question, page: PageRequest, selection: Selection
    ) -> Page[Delivered]:
        """A page of the entries that match, as `DeliveryQueries.search` has it."""


class EntryReader:
    """The published entries of one type.

    ``listing`` is what lists can be sorted by and filtered on; ``is_self_contained``, whether what
    is shown changes with the entry itself only.
    """

    def __init__(self, *, queries: EntryQueries, catalogue: Catalogue, key: str, default_locale: str) -> None:
        self._queries = queries
        self._catalogue = catalogue
        self._key = key
        self._default_locale = default_locale
        definition = catalogue.definitions[key]
        self.listing: Listing = public_listing_of(definition, catalogue.definitions)
        self.is_self_contained = not any(isinstance(one, RELATIONS) for one in walk(definition.fields))

    async def one(
        self, by: Literal["id", "slug"], value: object, selection: Selection, locale: str | None
    ) -> Delivered:
        """One entry. Raises `NothingPublished`."""
        if by == "slug":
            value = composed(str(value))
        found = await self._queries.one(
            self._catalogue, self._key, by, value, selection, locale or self._default_locale
        )
        if found is None:
            raise NothingPublished
        return found

    async def page(self, page: PageRequest, selection: Selection) -> Page[Delivered]:
        """A page of entries, as the listing allows."""
        question, page = searched(page, self._default_locale)
        if question is not None:
            return await self._queries.search(self._catalogue, self._key, question, page, selection)
        return await self._queries.list(self._catalogue, self._key, page, selection)


class EntryDeliveryService(ABC):
    """What the public may read of entries."""

    @abstractmethod
    async def of(self, key: str) -> EntryReader:
        """The entries of a type. Raises `TypeNotFound`."""

    @abstractmethod
    async def listings(self) -> Sequence[Listing]:
        """What may be asked of the entries of each type."""


class EntryDelivery(EntryDeliveryService):
    """The service of published entries. Readers are kept until any type changes."""

    def __init__(self, *, types: DocumentTypes, queries: EntryQueries, default_locale: str) -> None:
        self._types = types
        self._queries = queries
        self._default_locale = default_locale
        self._readers = UntilChanged[str, EntryReader]()

    async def of(self, key: str) -> EntryReader:
        return self._reader(await self._types.catalogue(key), key)

    async def listings(self) -> Sequence[Listing]:
        catalogue = await self._types.catalogue()
        return [self._reader(catalogue, key).listing for key in catalogue.kinds]

    def _reader(self, catalogue: Catalogue, key: str) -> EntryReader:
        return self._readers.get(
            catalogue.stamp,
            key,
            lambda: EntryReader(
                queries=self._queries, catalogue=catalogue, key=key, default_locale=self._default_locale
            ),
        )
