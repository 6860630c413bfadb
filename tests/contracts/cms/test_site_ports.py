"""What every repository of settings does, and the ports beside it."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from tests.contracts.cms.conftest import Backend

from cms_api.domains.cms.documents.content import PageContent, PostContent
from cms_api.domains.cms.documents.errors import InUse
from cms_api.domains.cms.documents.model import Document
from cms_api.domains.cms.documents.ports import DocumentRepository
from cms_api.domains.cms.media.model import Asset
from cms_api.domains.cms.media.ports import MediaRepository
from cms_api.domains.cms.pages.service import PAGE
from cms_api.domains.cms.posts.service import POST
from cms_api.domains.cms.site.events import SITE_ID
from cms_api.domains.cms.site.interface import SeoSettings, SocialLink
from cms_api.domains.cms.site.ports import SiteRepository, SiteTargets
from cms_api.kernel.ids import new_id

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


async def page(backend: Backend, slug: str) -> Document[PageContent]:
    document, _ = Document.create(PAGE, PageContent(title=slug, slug=slug), locale="en", at=AT, by=None)
    async with backend.uow() as uow:
        await uow.repository(DocumentRepository).add(document)
    return document


async def file(backend: Backend) -> Asset:
    asset = Asset(
        id=new_id(), filename="a.png", source_url="https://x.example/a.png", created_at=AT, updated_at=AT
    )
    async with backend.uow() as uow:
        await uow.repository(MediaRepository).add(asset)
    return asset


async def save(backend: Backend, **values: Any) -> None:
    async with backend.uow() as uow:
        settings = uow.repository(SiteRepository)
        await settings.save(msgspec.structs.replace(await settings.get(), **values))


async def test_settings_come_back_as_stored(backend: Backend) -> None:
    home, logo = await page(backend, "home"), await file(backend)
    first = await backend.site.get()
    assert (first.version, first.timezone, first.home_page, first.seo) == (1, "UTC", None, SeoSettings())
    values: dict[str, Any] = {
        "title": "“Ünïcode” %s {}",
        "base_url": "https://example.org",
        "base_urls": {"fr": "https://example.org/fr", "pt-BR": "https://example.com.br/"},
        "posts_per_page": 7,
        "home_page": home.id,
        "logo": logo.id,
        "social": (SocialLink(network="x", url="https://x.example"),),
        "seo": SeoSettings(title_template="%s!", noindex=True),
        "version": 2,
        "updated_at": AT,
        "updated_by": UUID(int=1),
    }
    await save(backend, **values)
    expected = msgspec.structs.replace(first, **values)
    assert await backend.site.get() == expected
    async with backend.uow() as uow:
        assert await uow.repository(SiteRepository).get() == expected


async def test_only_pages_and_files_are_pointed_at(backend: Backend) -> None:
    there, trashed, logo = await page(backend, "there"), await page(backend, "trashed"), await file(backend)
    post, _ = Document.create(POST, PostContent(title="P", slug="p"), locale="en", at=AT, by=None)
    async with backend.uow() as uow:
        documents = uow.repository(DocumentRepository)
        await documents.add(post)
        trashed.trash(at=AT, by=None)
        await documents.save(trashed)
    asked = {there.id, trashed.id, post.id, logo.id, uuid4()}
    async with backend.uow() as uow:
        targets = uow.repository(SiteTargets)
        assert await targets.pages(asked) == {there.id}
        assert await targets.media(asked) == {logo.id}
        assert await targets.pages(()) == frozenset()


async def test_a_file_in_use_stays(backend: Backend) -> None:
    logo = await file(backend)
    await save(backend, logo=logo.id, icon=logo.id)
    with pytest.raises(InUse) as caught:
        async with backend.uow() as uow:
            await uow.repository(MediaRepository).delete(logo)
    assert caught.value.members["documents"] == 1
    await save(backend, logo=None, icon=None)
    async with backend.uow() as uow:
        await uow.repository(MediaRepository).delete(logo)


async def test_a_page_that_goes_for_good_leaves_its_place_empty(backend: Backend) -> None:
    home, posts = await page(backend, "home"), await page(backend, "posts")
    await save(backend, home_page=home.id, posts_page=posts.id)
    async with backend.uow() as uow:
        await uow.repository(DocumentRepository).delete(home.id)
    found = await backend.site.get()
    assert (found.version, found.home_page, found.posts_page) == (1, None, posts.id)


async def test_the_public_sees_files_and_no_drafts(backend: Backend) -> None:
    home, logo = await page(backend, "home"), await file(backend)
    await save(backend, home_page=home.id, logo=logo.id, updated_at=AT)
    shown = await backend.public_site.get()
    assert json.loads(shown.json) == {
        "title": "", "tagline": "", "base_url": None, "base_urls": {}, "timezone": "UTC", "posts_per_page": 10,
        "home_page": None, "posts_page": None, "icon": None, "image": None, "social": [],
        "paths": {"post": "/{slug}", "category": "/category/{slug}", "tag": "/tag/{slug}", "author": "/author/{slug}"},
        "feeds": {"content": "full", "items": 20}, "robots": {"disallow": [], "allow": []},
        "logo": {"url": "https://x.example/a.png", "alt": "", "width": None, "height": None},
        "seo": {"title_template": "%s", "description": "", "noindex": False},
    }  # fmt: skip
    assert shown.changed_at == "Fri, 02 Jan 2026 03:04:05 GMT"
    assert shown.used.split(",") == [str(SITE_ID), str(home.id), str(logo.id)]
