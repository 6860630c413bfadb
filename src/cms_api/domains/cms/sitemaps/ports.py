"""What maps of the site need from outside."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime

import msgspec

from cms_api.domains.cms.site.facts import SiteFacts
from cms_api.domains.cms.sitemaps.interface import MapKind, MapPart

# Of one address, by the image extension of sitemaps.
MAX_IMAGES = 1_000


class AddressRow(msgspec.Struct, frozen=True):
    """What may be found: paths of the site, and of its pictures; translations by locale.

    Of pictures there are at most `MAX_IMAGES`, the cover first.

    Archives have no ``locale``: posts of any are listed there.
    """

    url: str
    changed_at: datetime
    images: Sequence[str]
    alternates: Sequence[tuple[str, str]]
    locale: str | None = None


class SiteMapQueries(ABC):
    """What is live, and what lists live posts, in the order of their numbers.

    What names another address than its own as the right one is left out. So is, of several at one address, each
    but the first: that in the default locale, or else in the first one; of those, the page.
    """

    @abstractmethod
    async def parts(self, site: SiteFacts) -> Sequence[MapPart]:
        """The parts that have something, by kinds and numbers. Looks at each part, not at each live copy."""

    @abstractmethod
    async def addresses(self, kind: MapKind, part: int, site: SiteFacts) -> Sequence[AddressRow]:
        """All of one part, as it is at one moment."""
