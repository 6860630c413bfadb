"""What maps of the site need from outside."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime

import msgspec

from cms_api.domains.cms.sitemaps.interface import MapKind, MapPart


class AddressRow(msgspec.Struct, frozen=True):
    """What may be found: paths of the site, and of its picture; translations by locale."""

    url: str
    changed_at: datetime
    image: str | None
    alternates: Sequence[tuple[str, str]]


class SiteMapQueries(ABC):
    """What is live, and what lists live posts, in the order of their numbers."""

    @abstractmethod
    async def parts(self) -> Sequence[MapPart]:
        """The parts that have something, by kinds and numbers. Looks at each part, not at each live copy."""

    @abstractmethod
    async def addresses(self, kind: MapKind, part: int) -> Sequence[AddressRow]:
        """All of one part, as it is at one moment."""
