"""The settings of the site, and the services of them."""

from abc import ABC, abstractmethod
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from cms_api.domains.cms.delivery.interface import Delivered
from cms_api.kernel.actor import Actor
from cms_api.kernel.unit_of_work import UnitOfWork

WRITE = "settings:write"
PERMISSIONS: dict[str, str] = {WRITE: "Change the settings of the site."}


class SocialLink(msgspec.Struct, frozen=True, kw_only=True):
    """Where the site is found on a network."""

    network: str
    url: str


class SeoSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What search engines are told. The title of what is shown takes the place of ``%s``."""

    title_template: str = "%s"
    description: str = ""
    noindex: bool = False


class SiteSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of the site. ``timezone`` is an IANA name; pages and files are ids."""

    title: str = ""
    tagline: str = ""
    base_url: str | None = None
    timezone: str = "UTC"
    posts_per_page: int = 10
    home_page: UUID | None = None
    posts_page: UUID | None = None
    logo: UUID | None = None
    icon: UUID | None = None
    social: tuple[SocialLink, ...] = ()
    seo: SeoSettings = SeoSettings()
    version: int
    updated_at: datetime
    updated_by: UUID | None

    @property
    def is_whole(self) -> bool:
        """Whether the version stands for all that is shown: pages go for good without it."""
        return self.home_page is not None and self.posts_page is not None


class SeoSettingsChanges(msgspec.Struct, frozen=True, kw_only=True):
    """New values; what is unset stays."""

    title_template: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    noindex: bool | UnsetType = UNSET


class SettingsChanges(msgspec.Struct, frozen=True, kw_only=True):
    """New values; what is unset stays. ``social`` replaces all."""

    title: str | UnsetType = UNSET
    tagline: str | UnsetType = UNSET
    base_url: str | UnsetType | None = UNSET
    timezone: str | UnsetType = UNSET
    posts_per_page: int | UnsetType = UNSET
    home_page: UUID | UnsetType | None = UNSET
    posts_page: UUID | UnsetType | None = UNSET
    logo: UUID | UnsetType | None = UNSET
    icon: UUID | UnsetType | None = UNSET
    social: tuple[SocialLink, ...] | UnsetType = UNSET
    seo: SeoSettingsChanges | UnsetType = UNSET


class SiteService(ABC):
    """The settings of the site. Reading needs ``documents:read``, changing ``settings:write``."""

    @abstractmethod
    async def get(self, actor: Actor) -> SiteSettings:
        """The settings, with defaults for what was never set."""

    @abstractmethod
    async def update(
        self, uow: UnitOfWork, actor: Actor, changes: SettingsChanges, *, expected: int | None
    ) -> SiteSettings:
        """Change settings. Raises `Stale`, and `Invalid` with every fault."""


class PublicSiteService(ABC):
    """The settings as the public sees them."""

    @abstractmethod
    async def get(self) -> Delivered:
        """Files with their addresses, and pages with their paths where they are live."""
