"""The settings of the site, and the services of them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from cms_api.domains.cms.delivery.interface import Delivered
from cms_api.kernel.actor import Actor
from cms_api.kernel.unit_of_work import UnitOfWork

WRITE = "settings:write"
PERMISSIONS: dict[str, str] = {WRITE: "Change the settings of the site."}


FeedContent = Literal["full", "excerpt"]


class SocialLink(msgspec.Struct, frozen=True, kw_only=True):
    """Where the site is found on a network."""

    network: str
    url: str


class SeoSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What search engines are told. The title of what is shown takes the place of ``%s``."""

    title_template: str = "%s"
    description: str = ""
    noindex: bool = False


class SitePaths(msgspec.Struct, frozen=True, kw_only=True):
    """Where the site shows posts, and what belongs to a term or an author: a slug takes the place of ``{slug}``.

    Live posts have the addresses that ``post`` says.
    """

    post: str = "/{slug}"
    category: str = "/category/{slug}"
    tag: str = "/tag/{slug}"
    author: str = "/author/{slug}"


class FeedSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How much feeds tell of each post, and how many a page of them has."""

    content: FeedContent = "full"
    items: int = 20


class RobotsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Paths that robots shall not and may fetch (RFC 9309)."""

    disallow: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()


class SiteSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of the site. ``timezone`` is an IANA name; pages and files are ids.

    ``base_urls`` says by locales where a language is found that is not at ``base_url``. ``image`` stands for
    what has no cover.
    """

    title: str = ""
    tagline: str = ""
    base_url: str | None = None
    base_urls: Mapping[str, str] = msgspec.field(default_factory=dict)
    timezone: str = "UTC"
    posts_per_page: int = 10
    home_page: UUID | None = None
    posts_page: UUID | None = None
    logo: UUID | None = None
    icon: UUID | None = None
    image: UUID | None = None
    social: tuple[SocialLink, ...] = ()
    seo: SeoSettings = SeoSettings()
    paths: SitePaths = SitePaths()
    feeds: FeedSettings = FeedSettings()
    robots: RobotsSettings = RobotsSettings()
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


class SitePathsChanges(msgspec.Struct, frozen=True, kw_only=True):
    """New values; what is unset stays."""

    post: str | UnsetType = UNSET
    category: str | UnsetType = UNSET
    tag: str | UnsetType = UNSET
    author: str | UnsetType = UNSET


class FeedSettingsChanges(msgspec.Struct, frozen=True, kw_only=True):
    """New values; what is unset stays."""

    content: FeedContent | UnsetType = UNSET
    items: int | UnsetType = UNSET


class RobotsSettingsChanges(msgspec.Struct, frozen=True, kw_only=True):
    """New values; what is unset stays."""

    disallow: tuple[str, ...] | UnsetType = UNSET
    allow: tuple[str, ...] | UnsetType = UNSET


class SettingsChanges(msgspec.Struct, frozen=True, kw_only=True):
    """New values; what is unset stays. ``social`` replaces all; a locale with None is taken out of ``base_urls``."""

    title: str | UnsetType = UNSET
    tagline: str | UnsetType = UNSET
    base_url: str | UnsetType | None = UNSET
    base_urls: Mapping[str, str | None] | UnsetType = UNSET
    timezone: str | UnsetType = UNSET
    posts_per_page: int | UnsetType = UNSET
    home_page: UUID | UnsetType | None = UNSET
    posts_page: UUID | UnsetType | None = UNSET
    logo: UUID | UnsetType | None = UNSET
    icon: UUID | UnsetType | None = UNSET
    image: UUID | UnsetType | None = UNSET
    social: tuple[SocialLink, ...] | UnsetType = UNSET
    seo: SeoSettingsChanges | UnsetType = UNSET
    paths: SitePathsChanges | UnsetType = UNSET
    feeds: FeedSettingsChanges | UnsetType = UNSET
    robots: RobotsSettingsChanges | UnsetType = UNSET


class SiteService(ABC):
    """The settings of the site. Reading needs ``documents:read``, changing ``settings:write``."""

    @abstractmethod
    async def get(self, actor: Actor) -> SiteSettings:
        """The settings, with defaults for what was never set."""

    @abstractmethod
    async def update(
        self, uow: UnitOfWork, actor: Actor, changes: SettingsChanges, *, expected: int | None
    ) -> SiteSettings:
        """Change settings. Raises `Stale`, and `Invalid` with every fault.

        Another path of posts moves all that are live at once, with redirects from where they were. Raises
        `AddressesTaken` where others are.
        """


class PublicSiteService(ABC):
    """The settings as the public sees them."""

    @abstractmethod
    async def get(self) -> Delivered:
        """Files with their addresses, and pages with their paths where they are live."""
