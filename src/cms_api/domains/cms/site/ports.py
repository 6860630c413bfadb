"""What the services of settings need from outside."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from uuid import UUID

from cms_api.domains.cms.delivery.interface import Delivered
from cms_api.domains.cms.site.interface import SiteSettings


class SiteRepository(ABC):
    """The settings, for changing them."""

    @abstractmethod
    async def get(self) -> SiteSettings:
        """The settings, locked until the unit of work ends."""

    @abstractmethod
    async def save(self, settings: SiteSettings) -> None:
        """Store the changed settings."""


class SiteTargets(ABC):
    """What settings may point at. What is found stays until the unit of work ends.

    Ask before the settings are locked: who deletes a page for good locks it first, and the
    settings after it.
    """

    @abstractmethod
    async def pages(self, ids: Collection[UUID]) -> frozenset[UUID]:
        """Those that are pages, and not in the trash."""

    @abstractmethod
    async def media(self, ids: Collection[UUID]) -> frozenset[UUID]:
        """Those that are files."""


class SiteQueries(ABC):
    """The settings, for looking at them."""

    @abstractmethod
    async def get(self) -> SiteSettings:
        """The settings."""


class PublicSiteQueries(ABC):
    """The settings as JSON, encoded by the database: one statement."""

    @abstractmethod
    async def get(self) -> Delivered:
        """The settings, with files and live pages."""
