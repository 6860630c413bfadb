"""What maps of the site need from outside."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime

import msgspec

from cms_api.domains.cms.sitemaps.interface import Part


class AddressRow(msgspec.Struct, frozen=True):
    """A live copy that may be found: paths of the site, and of its cover; translations by locale."""

    url: str
    changed_at: datetime
    image: str | None
    alternates: Sequence[tuple[str, str]]


class SiteMapQueries(ABC):
    """What is live, in the order of its numbers."""

    @abstractmethod
    async def parts(self) -> Sequence[Part]:
        """The parts that have something, by their numbers. Looks at each part, not at each row."""

    @abstractmethod
    async def addresses(self, part: int) -> Sequence[AddressRow]:
        """All of one part, as it is at one moment."""
