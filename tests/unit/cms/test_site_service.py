"""Settings of the site, on fakes."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.fakes_cms import FakeCms

from cms_api.domains.cms.media.interface import MediaChanges
from cms_api.domains.cms.pages.interface import PageChanges
from cms_api.domains.cms.posts.interface import PostChanges
from cms_api.domains.cms.site.errors import AddressesTaken
from cms_api.domains.cms.site.events import SITE_ID, SettingsUpdated
from cms_api.domains.cms.site.interface import (
    WRITE,
    SeoSettingsChanges,
    SettingsChanges,
    SitePathsChanges,
    SiteSettings,
    SocialLink,
)
from cms_api.kernel.actor import ANONYMOUS, SYSTEM, Actor
from cms_api.kernel.errors import Forbidden, Invalid, Stale, Unauthenticated

ADA = Actor(user_id=UUID(int=1), permissions=frozenset({WRITE, "documents:read"}))
EVE = Actor(user_id=UUID(int=2), permissions=frozenset({"documents:read"}))


async def update(
    cms: FakeCms, actor: Actor = ADA, *, expected: int | None = None, **values: Any
) -> SiteSettings:
    async with cms.uow() as uow:
        return await cms.site.update(uow, actor, SettingsChanges(**values), expected=expected)


async def refused(cms: FakeCms, **values: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as caught:
        await update(cms, **values)
    return [(fault.pointer, fault.code) for fault in caught.value.faults]


async def page(cms: FakeCms) -> UUID:
    async with cms.uow() as uow:
        return (await cms.pages.create(uow, SYSTEM, PageChanges(title="Home"))).id


async def test_who_may(cms: FakeCms) -> None:
    with pytest.raises(Unauthenticated):
        await cms.site.get(ANONYMOUS)
    with pytest.raises(Forbidden):
        await update(cms, EVE, title="x")
    assert (await cms.site.get(EVE)) == (await cms.site.get(SYSTEM))
    assert (await update(cms, SYSTEM, title="x")).title == "x"


async def test_what_changes_is_told_by_names_with_dots(cms: FakeCms) -> None:
    cms.clock.move(days=1)
    after = await update(
        cms,
        expected=1,
        title="T",
        tagline="",
        seo=SeoSettingsChanges(noindex=True, title_template="%s"),
    )
    assert (after.version, after.updated_at, after.updated_by) == (2, cms.clock.at, ADA.user_id)
    assert (after.seo.noindex, after.seo.title_template) == (True, "%s")
    assert await cms.site.get(EVE) == after
    changed = ("title", "seo.noindex")
    assert cms.store.events == [
        SettingsUpdated(subject=SITE_ID, actor=ADA.user_id, version=2, changed=changed)
    ]
    assert await update(cms, title="T", seo=SeoSettingsChanges(noindex=True)) == after
    assert len(cms.store.events) == 1


async def test_base_urls_are_merged(cms: FakeCms) -> None:
    one, other = "https://example.org/fr", "https://example.de/"
    assert (await update(cms, base_urls={"fr": one, "de": other, "it": None})).base_urls == {
        "fr": one,
        "de": other,
    }
    assert (await update(cms, base_urls={"de": None, "fr": one})).base_urls == {"fr": one}
    assert (await update(cms, base_urls={"de": None})).version == 3
    many = {f"a{chr(97 + n // 26)}-{n}x": "https://example.org" for n in range(100)}
    assert await refused(cms, base_urls=many) == [("/base_urls", "too_many")]
    assert len((await update(cms, base_urls=many | {"fr": None})).base_urls) == 100
    assert [event.changed for event in cms.store.events if isinstance(event, SettingsUpdated)] == [
        ("base_urls",)
    ] * 3


async def test_a_stale_writer_hears_that_before_all_else(cms: FakeCms) -> None:
    with pytest.raises(Stale):
        await update(cms, expected=2, timezone="Nowhere")
    assert (await cms.site.get(SYSTEM)).version == 1


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"title": "x" * 201}, ("/title", "length")),
        ({"tagline": "x" * 501}, ("/tagline", "length")),
        ({"base_url": "https://x.example/" + "x" * 2_000}, ("/base_url", "url")),
        ({"base_url": "https://x.example?"}, ("/base_url", "url")),
        ({"base_url": "https://x.example#"}, ("/base_url", "url")),
        ({"base_url": "mailto:a@x.example"}, ("/base_url", "url")),
        ({"base_urls": {"fr": "https://x.example", "de": "/de"}}, ("/base_urls/de", "url")),
        ({"base_urls": {"fr": "https://x.example/?l=fr"}}, ("/base_urls/fr", "url")),
        ({"timezone": "europe/paris"}, ("/timezone", "unknown_timezone")),
        ({"posts_per_page": 0}, ("/posts_per_page", "range")),
        ({"posts_per_page": 101}, ("/posts_per_page", "range")),
        ({"home_page": uuid4()}, ("/home_page", "unknown_reference")),
        ({"icon": uuid4()}, ("/icon", "unknown_reference")),
        ({"social": (SocialLink(network="x", url="https://x.example"),) * 21}, ("/social", "too_many")),
        ({"social": (SocialLink(network="x", url="x"),)}, ("/social/0/url", "url")),
        ({"seo": SeoSettingsChanges(title_template="%s%s")}, ("/seo/title_template", "template")),
        ({"seo": SeoSettingsChanges(description="x" * 2_001)}, ("/seo/description", "length")),
        ({"paths": SitePathsChanges(post="/blog")}, ("/paths/post", "path")),
        ({"paths": SitePathsChanges(post="/{slug}/blog")}, ("/paths/post", "path")),
        ({"paths": SitePathsChanges(post="/Blog/{slug}")}, ("/paths/post", "path")),
        ({"paths": SitePathsChanges(post=f"/{'a' * 194}/{{slug}}")}, ("/paths/post", "length")),
    ],
)
async def test_rules(cms: FakeCms, values: dict[str, Any], fault: tuple[str, str]) -> None:
    assert await refused(cms, **values) == [fault]
    assert cms.store.events == []


async def test_pages_and_files(cms: FakeCms) -> None:
    home = await page(cms)
    async with cms.uow() as uow:
        changes = MediaChanges()
        logo = await cms.media.register(
            uow, SYSTEM, filename="a.png", source_url="https://x.example/a.png", changes=changes
        )
    assert await refused(cms, home_page=logo.id, logo=home) == [
        ("/home_page", "unknown_reference"),
        ("/logo", "unknown_reference"),
    ]
    assert not (await update(cms, home_page=home, logo=logo.id)).is_whole
    assert (await update(cms, posts_page=home)).is_whole
    async with cms.uow() as uow:
        await cms.pages.trash(uow, SYSTEM, home, expected=None)
    assert (await update(cms, home_page=home)).version == 3  # nothing new is said
    await update(cms, home_page=None)
    assert await refused(cms, home_page=home) == [("/home_page", "unknown_reference")]


async def post(cms: FakeCms, title: str) -> UUID:
    async with cms.uow() as uow:
        made = await cms.posts.create(uow, SYSTEM, PostChanges(title=title))
        return (await cms.posts.publish(uow, SYSTEM, made.id, expected=None)).id


async def test_posts_move(cms: FakeCms) -> None:
    one = await post(cms, "One")
    assert cms.store.publications[one].path == "one"
    cms.store.events.clear()
    after = await update(cms, paths=SitePathsChanges(post="/blog/{slug}"))
    assert (after.paths.post, after.paths.tag) == ("/blog/{slug}", "/tag/{slug}")
    assert cms.store.publications[one].path == "blog/one"
    assert [redirect.source for redirect in cms.store.redirects.values()] == ["one"]
    assert [event.changed for event in cms.store.events if isinstance(event, SettingsUpdated)] == [
        ("paths.post",)
    ]
    other = await post(cms, "Other")
    assert cms.store.publications[other].path == "blog/other"
    assert await update(cms, paths=SitePathsChanges(post="/blog/{slug}")) == after


async def test_posts_stay_where_others_are(cms: FakeCms) -> None:
    one, _ = await post(cms, "One"), await post(cms, "Two")
    async with cms.uow() as uow:
        blog = await cms.pages.create(uow, SYSTEM, PageChanges(title="Blog"))
        below = await cms.pages.create(uow, SYSTEM, PageChanges(title="One", parent=blog.id))
        for made in (blog, below):
            await cms.pages.publish(uow, SYSTEM, made.id, expected=None)
    with pytest.raises(AddressesTaken) as caught:
        await update(cms, paths=SitePathsChanges(post="/blog/{slug}"))
    assert caught.value.members == {"path": "/blog/{slug}", "documents": 1, "examples": [str(one)]}
    assert (await cms.site.get(SYSTEM)).version == 1
    assert cms.store.publications[one].path == "one"
