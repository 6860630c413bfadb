"""Deciding about the settings of the site."""

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

import msgspec

from cms_api.domains.cms.content_types.ports import AddressRepository
from cms_api.domains.cms.delivery.interface import Delivered
from cms_api.domains.cms.documents.policy import READ
from cms_api.domains.cms.posts.service import POST
from cms_api.domains.cms.resources import given
from cms_api.domains.cms.site.errors import AddressesTaken
from cms_api.domains.cms.site.events import SITE_ID, SettingsUpdated
from cms_api.domains.cms.site.interface import (
    WRITE,
    PublicSiteService,
    SettingsChanges,
    SiteService,
    SiteSettings,
)
from cms_api.domains.cms.site.ports import PublicSiteQueries, SiteQueries, SiteRepository, SiteTargets
from cms_api.domains.cms.site.rules import POST_PATH, check, pointer_of, post_path_faults
from cms_api.kernel.actor import Actor
from cms_api.kernel.clock import Clock
from cms_api.kernel.errors import Fault, Faults, invalid
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.kernel.versions import check_version

PAGES = ("home_page", "posts_page")
MEDIA = ("logo", "icon", "image")
# Settings that hold settings.
GROUPS = ("seo", "paths", "feeds", "robots")


class Site(SiteService):
    """The service of settings."""

    def __init__(self, *, clock: Clock, queries: SiteQueries) -> None:
        self._clock = clock
        self._queries = queries

    async def get(self, actor: Actor) -> SiteSettings:
        actor.require(READ)
        return await self._queries.get()

    async def update(
        self, uow: UnitOfWork, actor: Actor, changes: SettingsChanges, *, expected: int | None
    ) -> SiteSettings:
        actor.require(WRITE)
        values = named(changes)
        addresses = uow.repository(AddressRepository)
        if POST_PATH in values:
            await addresses.lock_posts()
        missing = await _missing(uow.repository(SiteTargets), values)
        settings = uow.repository(SiteRepository)
        before = await settings.get()
        check_version(before.version, expected)
        if "base_urls" in values:
            values["base_urls"] = merged(before.base_urls, values["base_urls"])
        # What stands already is not asked again: a page may have gone to the trash since.
        values = {name: value for name, value in values.items() if attrgetter(name)(before) != value}
        post_path = values.get(POST_PATH)
        _refuse(values, missing, await _holder(addresses, post_path))
        if not values:
            return before
        if post_path is not None and (taken := await addresses.taken(POST.key, post_path))[0]:
            raise AddressesTaken(post_path, *taken)
        after = msgspec.structs.replace(
            replaced(before, values),
            version=before.version + 1,
            updated_at=self._clock.now(),
            updated_by=actor.user_id,
        )
        await settings.save(after)
        if post_path is not None:
            await addresses.move(POST.key, post_path, at=after.updated_at)
        uow.record(SettingsUpdated(subject=SITE_ID, version=after.version, changed=tuple(values)).by(actor))
        return after


class PublicSite(PublicSiteService):
    """The service of settings in delivery."""

    def __init__(self, *, queries: PublicSiteQueries) -> None:
        self._queries = queries

    async def get(self) -> Delivered:
        return await self._queries.get()


def named(changes: SettingsChanges) -> dict[str, Any]:
    """What is set in ``changes``, by names with dots."""
    values: dict[str, Any] = {}
    for name, value in given(changes).items():
        if name in GROUPS:
            values.update({f"{name}.{inner}": one for inner, one in given(value).items()})
        else:
            values[name] = value
    return values


def replaced(settings: SiteSettings, values: Mapping[str, Any]) -> SiteSettings:
    """The settings with new values, given by names with dots."""
    for name, value in values.items():
        group, _, inner = name.rpartition(".")
        new = msgspec.structs.replace(getattr(settings, group), **{inner: value}) if group else value
        settings = msgspec.structs.replace(settings, **{group or inner: new})
    return settings


def merged(before: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    """Addresses by locales with new ones put in; those that are None go (RFC 7396)."""
    return {locale: url for locale, url in {**before, **changes}.items() if url is not None}


async def _missing(targets: SiteTargets, values: Mapping[str, Any]) -> set[str]:
    """The names of those fields that point at nothing."""
    missing: set[str] = set()
    for names, find in ((PAGES, targets.pages), (MEDIA, targets.media)):
        wanted = {name: values[name] for name in names if values.get(name) is not None}
        found = await find(set(wanted.values())) if wanted else frozenset()
        missing |= {name for name, one in wanted.items() if one not in found}
    return missing


async def _holder(addresses: AddressRepository, post_path: str | None) -> str | None:
    """The content type that has the path that posts are to have."""
    if post_path is None or any(post_path_faults(post_path)):
        return None
    return await addresses.holder(post_path)


def _refuse(values: Mapping[str, Any], missing: set[str], holder: str | None) -> None:
    """Raise `Invalid` with all faults of new values, if they have any."""
    faults = Faults()
    check(values, faults)
    if holder is not None:
        faults.note(Fault(pointer_of(POST_PATH), "taken", f"The content type “{holder}” has this path."))
    for name in values:
        with faults.noted():
            if name in missing:
                noun = "page" if name in PAGES else "file"
                raise invalid(f"/{name}", "unknown_reference", f"There is no {noun} with this id.")
    faults.refuse()
