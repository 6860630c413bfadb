"""The settings of the site, for those who manage them and for everybody."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, patch
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.types import ASGIApp
from msgspec import UNSET, Meta, UnsetType

from cms_api.adapters.http.cms.answering import delivered_one
from cms_api.adapters.http.cms.schemas import into
from cms_api.adapters.http.preconditions import resource
from cms_api.adapters.http.requests import ApiRequest
from cms_api.adapters.http.schemas import ShortText, Wire
from cms_api.domains.cms.api import (
    FeedContent,
    FeedSettings,
    FeedSettingsChanges,
    Locale,
    PublicSiteService,
    RobotsSettings,
    RobotsSettingsChanges,
    SeoSettings,
    SeoSettingsChanges,
    SettingsChanges,
    SitePaths,
    SitePathsChanges,
    SiteService,
    SiteSettings,
    SocialLink,
)
from cms_api.kernel.unit_of_work import UnitOfWork

Timezone = Annotated[str, Meta(max_length=100, description="An IANA name.", examples=["Europe/Paris"])]
WebAddress = Annotated[str, Meta(min_length=1, max_length=2_000, examples=["https://example.org"])]
BaseUrls = Annotated[
    dict[Locale, WebAddress | None],
    Meta(
        max_length=100,
        description="By locales, where a language is found that is not at `base_url`; null takes one out.",
        examples=[{"fr": "https://example.org/fr", "de": "https://example.de"}],
    ),
]
SlugPath = Annotated[
    str, Meta(min_length=1, max_length=200, description="Has `{slug}` once.", examples=["/category/{slug}"])
]
PostPath = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        description="Where live posts are on the site: `{slug}`, with fixed names before it or none.",
        examples=["/blog/{slug}"],
    ),
]
RobotsPaths = Annotated[
    tuple[Annotated[str, Meta(max_length=2_000, examples=["/search"])], ...], Meta(max_length=100)
]
Template = Annotated[str, Meta(max_length=200, description="Has `%s` once.", examples=["%s – Example"])]


class SocialLinkInput(Wire, frozen=True, kw_only=True):
    """Where the site is found on a network."""

    network: Annotated[str, Meta(min_length=1, max_length=50, examples=["mastodon"])]
    url: WebAddress


class SeoSettingsPatch(Wire, frozen=True, kw_only=True):
    """What search engines are told; what is left out stays."""

    title_template: Template | UnsetType = UNSET
    description: ShortText | UnsetType = UNSET
    noindex: bool | UnsetType = UNSET


class SitePathsPatch(Wire, frozen=True, kw_only=True):
    """Where the site shows posts, and what belongs to a term or an author; what is left out stays."""

    post: PostPath | UnsetType = UNSET
    category: SlugPath | UnsetType = UNSET
    tag: SlugPath | UnsetType = UNSET
    author: SlugPath | UnsetType = UNSET


class FeedSettingsPatch(Wire, frozen=True, kw_only=True):
    """What feeds tell; what is left out stays."""

    content: FeedContent | UnsetType = UNSET
    items: Annotated[int, Meta(ge=1, le=100)] | UnsetType = UNSET


class RobotsSettingsPatch(Wire, frozen=True, kw_only=True):
    """Paths for `robots.txt` (RFC 9309); what is left out stays, each list is replaced whole."""

    disallow: RobotsPaths | UnsetType = UNSET
    allow: RobotsPaths | UnsetType = UNSET


class SettingsPatch(Wire, frozen=True, kw_only=True):
    """New values; what is left out stays, inside of objects too. Lists are replaced whole."""

    title: Annotated[str, Meta(max_length=200)] | UnsetType = UNSET
    tagline: Annotated[str, Meta(max_length=500)] | UnsetType = UNSET
    base_url: WebAddress | UnsetType | None = UNSET
    base_urls: BaseUrls | UnsetType = UNSET
    timezone: Timezone | UnsetType = UNSET
    posts_per_page: Annotated[int, Meta(ge=1, le=100)] | UnsetType = UNSET
    home_page: UUID | UnsetType | None = UNSET
    posts_page: UUID | UnsetType | None = UNSET
    logo: UUID | UnsetType | None = UNSET
    icon: UUID | UnsetType | None = UNSET
    image: UUID | UnsetType | None = UNSET
    social: Annotated[tuple[SocialLinkInput, ...], Meta(max_length=20)] | UnsetType = UNSET
    seo: SeoSettingsPatch | UnsetType = UNSET
    paths: SitePathsPatch | UnsetType = UNSET
    feeds: FeedSettingsPatch | UnsetType = UNSET
    robots: RobotsSettingsPatch | UnsetType = UNSET


class SettingsController(Controller):
    """The settings of the site."""

    path = "/settings"
    tags = ("settings",)

    @get("/", operation_id="getSettings", summary="Read the settings")
    async def get_settings(
        self, request: ApiRequest, site: NamedDependency[SiteService]
    ) -> Response[SiteSettings]:
        """With defaults for what was never set."""
        settings = await site.get(request.user)
        return resource(request, settings, is_whole=settings.is_whole)

    @patch(
        "/",
        operation_id="updateSettings",
        summary="Change the settings",
        opt={
            "example": {
                "title": "Example",
                "base_url": "https://example.org",
                "base_urls": {"fr": "https://example.org/fr"},
                "timezone": "Europe/Paris",
                "seo": {"noindex": False},
                "paths": {"post": "/blog/{slug}"},
            }
        },
    )
    async def update_settings(
        self,
        request: ApiRequest,
        data: JSONBody[SettingsPatch],
        if_match: NamedDependency[int | None],
        site: NamedDependency[SiteService],
        uow: NamedDependency[UnitOfWork],
    ) -> Response[SiteSettings]:
        """A page that is the home page may be unpublished; readers see none then.

        Another `paths.post` moves all live posts at once: redirects lead to them from where they were. It is refused
        where posts would be where others are (409, `addresses_taken`).
        """
        async with uow:
            settings = await site.update(uow, request.user, _changes(data), expected=if_match)
        return resource(request, settings)


GROUPS: dict[str, type[msgspec.Struct]] = {
    "seo": SeoSettingsChanges,
    "paths": SitePathsChanges,
    "feeds": FeedSettingsChanges,
    "robots": RobotsSettingsChanges,
}


def _changes(data: SettingsPatch) -> SettingsChanges:
    values: dict[str, Any] = {name: getattr(data, name) for name in SettingsChanges.__struct_fields__}
    if data.social is not UNSET:
        values["social"] = tuple(into(link, SocialLink) for link in data.social)
    for name, kind in GROUPS.items():
        if values[name] is not UNSET:
            values[name] = into(values[name], kind)
    return SettingsChanges(**values)


class DeliveredSitePage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A live page."""

    id: UUID
    path: str


class DeliveredSiteFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A picture, its size in pixels."""

    url: str
    alt: str
    width: int | None
    height: int | None


class DeliveredSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings. Pages that are not live are null."""

    title: str
    tagline: str
    base_url: str | None
    base_urls: dict[str, str]
    timezone: str
    posts_per_page: int
    home_page: DeliveredSitePage | None
    posts_page: DeliveredSitePage | None
    logo: DeliveredSiteFile | None
    icon: DeliveredSiteFile | None
    image: DeliveredSiteFile | None
    social: list[SocialLink]
    seo: SeoSettings
    paths: SitePaths
    feeds: FeedSettings
    robots: RobotsSettings


@get(
    "/settings",
    operation_id="deliverSettings",
    summary="Read the settings of the site",
    tags=["delivery"],
    opt={"answers": DeliveredSettings, "dated": False},
)
async def public_settings(request: ApiRequest, public_site: NamedDependency[PublicSiteService]) -> ASGIApp:
    """With the addresses of files, and the paths of pages as they are live at this moment."""
    found = await public_site.get()
    return delivered_one(request, found, is_dated=False, keys=("settings", "document:page", "media"))


PUBLIC_SITE_ROUTES = [public_settings]
