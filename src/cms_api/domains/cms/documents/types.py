"""Finding a content type by its key, whether built in or made at run time."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from cms_api.domains.cms.content_types.errors import TypeNotFound
from cms_api.domains.cms.content_types.fields import READ_RESTRICTED
from cms_api.domains.cms.documents.interface import DocumentService
from cms_api.domains.cms.documents.model import ContentType
from cms_api.domains.cms.documents.references import FieldOf
from cms_api.kernel.actor import Actor

if TYPE_CHECKING:
    from cms_api.domains.cms.entries.described import EntryDescription
    from cms_api.domains.cms.entries.interface import EntryService

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Catalogue(NamedTuple):
    """The types that were made at run time, by their keys; ``stamp`` is another one once any has changed."""

    stamp: str
    kinds: Mapping[str, Any]

    @property
    def definitions(self) -> Mapping[str, Any]:
        """What each of them is made of."""
        return {key: kind.definition for key, kind in self.kinds.items()}


class UntilChanged(Generic[K, T]):
    """What is worked out from content types, kept until any of them changes, and ``most`` of it at a time."""

    def __init__(self, *, most: int | None = None) -> None:
        self._most = most
        self._stamp = ""
        self._kept: dict[K, T] = {}

    def get(self, stamp: str, key: K, make: Callable[[], T]) -> T:
        """What is kept as ``key`` for the types with this stamp, made now where it is not; without a stamp, always."""
        if stamp != self._stamp or not stamp:
            self._kept.clear()
            self._stamp = stamp
        if (found := self._kept.get(key)) is None:
            if self._most is not None and len(self._kept) >= self._most:
                self._kept.clear()
            found = self._kept[key] = make()
        return found


class DocumentTypes(ABC):
    """Content types as they are at this moment."""

    async def kind(self, key: str) -> ContentType[Any]:
        """The type. Raises `TypeNotFound`."""
        return (await self.service(key)).kind

    @abstractmethod
    async def catalogue(self, key: str | None = None) -> Catalogue:
        """All types that were made at run time. Raises `TypeNotFound` where ``key`` is given and none of them."""

    async def withheld(self, actor: Actor) -> frozenset[FieldOf]:
        """The fields that this actor may not see, of all types and with all inside of them.

        One statement, unless any type has changed; none for who may see everything.
        """
        if actor.may(READ_RESTRICTED):
            return frozenset()
        kinds = (await self.catalogue()).kinds
        return frozenset(FieldOf(key, one) for key, kind in kinds.items() for one in kind.restricted_ids)

    @abstractmethod
    async def entries(self, key: str) -> "EntryService":
        """The service of the entries of a type that was made at run time. Raises `TypeNotFound`."""

    @abstractmethod
    async def fingerprint(self) -> str:
        """Another text whenever a type that was made at run time has changed."""

    @abstractmethod
    async def described(self) -> "Sequence[EntryDescription]":
        """All types that were made at run time, in the order of their making: later ones change no names."""

    @abstractmethod
    async def services(self, keys: Collection[str]) -> Mapping[str, DocumentService[Any, Any]]:
        """The services of those types that are there, by their keys: one statement, unless any has changed."""

    async def service(self, key: str) -> DocumentService[Any, Any]:
        """The service of its documents. Raises `TypeNotFound`."""
        if (found := (await self.services([key])).get(key)) is None:
            raise TypeNotFound(key)
        return found
