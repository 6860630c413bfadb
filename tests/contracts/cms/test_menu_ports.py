"""What every repository of menus does, and the queries beside it."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from tests.contracts.cms.conftest import Backend

from cms_api.domains.cms.documents.content import PostContent, Seo
from cms_api.domains.cms.documents.model import Document
from cms_api.domains.cms.documents.ports import DocumentRepository, PublicationRepository
from cms_api.domains.cms.documents.rendering import Public
from cms_api.domains.cms.menus.errors import MenuKeyTaken
from cms_api.domains.cms.menus.interface import MENUS
from cms_api.domains.cms.menus.items import Item, Target
from cms_api.domains.cms.menus.model import Menu
from cms_api.domains.cms.menus.ports import MenuRepository
from cms_api.domains.cms.posts.service import POST
from cms_api.domains.cms.taxonomies.model import Term
from cms_api.domains.cms.taxonomies.ports import TermRepository
from cms_api.kernel.ids import new_id
from cms_api.querying import NO_SELECTION, Comparison, PageRequest, Selection, SortKey, all_of

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
LINK = Target(kind="url", url="/x")


def item(target: Target = LINK, **values: Any) -> Item:
    given = {"parent_id": None, "position": 0, "label": "Link", "title": None, "opens_in_new_tab": False}
    return Item(id=new_id(), target=target, **(given | values))


def menu_of(*items: Item, key: str = "main", locale: str = "en") -> Menu:
    return Menu(
        id=new_id(), key=key, name=key.title(), locale=locale, items=items, created_at=AT, updated_at=AT
    )


async def stored(backend: Backend, menu: Menu) -> Menu:
    async with backend.uow() as uow:
        menus = uow.repository(MenuRepository)
        await menus.add(menu)
        await menus.put_items(menu)
    return menu


async def post(backend: Backend, slug: str = "hello", *, live: bool = False) -> UUID:
    document, _ = Document.create(POST, PostContent(title="Hello", slug=slug), locale="en", at=AT, by=None)
    async with backend.uow() as uow:
        await uow.repository(DocumentRepository).add(document)
        if live:
            document.publish(at=AT, by=None)
            await uow.repository(DocumentRepository).save(document)
            fields = {"excerpt": "", "body": "", "seo": Seo(), "reading_time": 1}
            await uow.repository(PublicationRepository).put_live(
                document, document.draft, Public(fields=fields)
            )
    return document.id


async def tag(backend: Backend) -> Term:
    term = Term(id=new_id(), taxonomy="tag", name="Ant", slug="ant", created_at=AT, updated_at=AT)
    async with backend.uow() as uow:
        await uow.repository(TermRepository).add(term)
    return term


def state(menu: Menu | None) -> dict[str, Any]:
    assert menu is not None
    return {name: getattr(menu, name) for name in ("id", "key", "name", "locale", "version", "items")}


async def found(backend: Backend, menu: Menu) -> Menu:
    async with backend.uow() as uow:
        locked = await uow.repository(MenuRepository).get(menu.id)
    looked = await backend.menus.get(menu.id)
    assert state(locked) == state(looked)
    assert looked is not None
    return looked


async def test_a_menu_comes_back_as_stored(backend: Backend) -> None:
    document = Target(kind="document", id=await post(backend))
    first, last = item(title="Hint", opens_in_new_tab=True), item(document, position=1, label=None)
    below = item(parent_id=first.id)
    menu = await stored(backend, menu_of(first, below, last))
    assert state(await found(backend, menu)) == state(menu)
    menu.items = (
        msgspec.structs.replace(below, parent_id=None),
        msgspec.structs.replace(first, parent_id=below.id),
        item(position=1),
    )
    menu.version, menu.name = 2, "Other"
    async with backend.uow() as uow:
        await uow.repository(MenuRepository).save(menu)
        await uow.repository(MenuRepository).put_items(menu)
    assert state(await found(backend, menu)) == state(menu)
    async with backend.uow() as uow:
        await uow.repository(MenuRepository).delete(menu)
        assert await uow.repository(MenuRepository).get(menu.id) is None
    assert await backend.menus.get(menu.id) is None


async def test_a_key_is_there_once_in_a_language(backend: Backend) -> None:
    await stored(backend, menu_of())
    await stored(backend, menu_of(locale="de"))
    other = await stored(backend, menu_of(key="other"))
    with pytest.raises(MenuKeyTaken):
        await stored(backend, menu_of())
    other.key = "main"
    with pytest.raises(MenuKeyTaken):
        async with backend.uow() as uow:
            await uow.repository(MenuRepository).save(other)


async def test_which_targets_are_there(backend: Backend) -> None:
    document, term = await post(backend), await tag(backend)
    there = {Target(kind="document", id=document), Target(kind="tag", id=term.id)}
    missing = {
        Target(kind="document", id=term.id), Target(kind="category", id=term.id), Target(kind="tag", id=uuid4()),
        Target(kind="tag", id=document),
    }  # fmt: skip
    async with backend.uow() as uow:
        menus = uow.repository(MenuRepository)
        assert await menus.existing(there | missing) == there
        assert await menus.existing(()) == frozenset()


async def test_what_goes_for_good_leaves_its_item_behind(backend: Backend) -> None:
    document, term = await post(backend), await tag(backend)
    to_document, to_tag = Target(kind="document", id=document), Target(kind="tag", id=term.id)
    menu = await stored(backend, menu_of(item(to_document), item(to_tag, position=1), item(position=2)))
    async with backend.uow() as uow:
        await uow.repository(DocumentRepository).delete(document)
        await uow.repository(TermRepository).delete(term)
    broken = [Target(kind="document"), Target(kind="tag"), LINK]
    assert [one.target for one in (await found(backend, menu)).items] == broken
    # Who looked before, and stores now, breaks them as well.
    async with backend.uow() as uow:
        await uow.repository(MenuRepository).put_items(menu)
    assert [one.target for one in (await found(backend, menu)).items] == broken
    (shown,) = (await backend.menus.list(PageRequest(sort=MENUS.sort))).items
    assert (shown.item_count, shown.broken_count) == (3, 2)


async def test_menus_are_found_by_what_they_point_at(backend: Backend) -> None:
    document, term = await post(backend), await tag(backend)
    to_document, to_tag = Target(kind="document", id=document), Target(kind="tag", id=term.id)
    one = await stored(backend, menu_of(item(to_document), item(to_document, position=1), key="b"))
    two = await stored(backend, menu_of(item(to_document), item(to_tag, position=1), key="a"))
    await stored(backend, menu_of(key="c"))
    uses = await backend.menus.pointing_at([document, uuid4()])
    assert [(use.menu_id, use.key, use.document_id) for use in uses] == [
        (two.id, "a", document),
        (one.id, "b", document),
    ]
    assert uses[1].item_ids == tuple(sorted(each.id for each in one.items))

    async def keys(*filters: Comparison, sort: str = "key") -> list[str]:
        page = PageRequest(sort=(SortKey(sort, descending=True),), filter=all_of(*filters))
        return [menu.key for menu in (await backend.menus.list(page)).items]

    assert await keys() == ["c", "b", "a"]
    assert await keys(Comparison("document", "eq", (document,))) == ["b", "a"]
    assert await keys(Comparison("tag", "eq", (term.id,)), sort="name") == ["a"]
    assert await keys(Comparison("category", "exists", (True,))) == []
    assert await keys(Comparison("document", "exists", (False,))) == ["c"]


async def test_the_public_sees_what_is_live(backend: Backend) -> None:
    live, draft = await post(backend, live=True), await post(backend, "draft")
    term = await tag(backend)
    first = item(Target(kind="document", id=live), label=None)
    unseen = item(Target(kind="document", id=draft), position=1)
    menu = menu_of(
        first, item(Target(kind="tag", id=term.id), parent_id=first.id), unseen, item(parent_id=unseen.id),
        item(position=2),
    )  # fmt: skip
    await stored(backend, menu)
    shown = await backend.public_menus.one("main", "en")
    assert shown is not None
    body = json.loads(shown.json)
    assert [one["label"] for one in body["items"]] == ["Hello", "Link"]
    assert body["items"][0]["url"] == "/hello"
    assert body["items"][0]["target"] == {
        "kind": "document", "id": str(live), "type": "post", "title": "Hello", "slug": "hello", "path": "hello",
    }  # fmt: skip
    (below,) = body["items"][0]["children"]
    assert (below["label"], below["url"], below["target"]["slug"]) == ("Link", None, "ant")
    assert body["items"][1] == {
        "id": str(menu.items[4].id), "label": "Link", "title": None, "url": "/x", "opens_in_new_tab": False,
        "target": {"kind": "url", "id": None, "type": None, "title": None, "slug": None, "path": None},
        "children": [],
    }  # fmt: skip
    assert set(shown.used.split(",")) == {str(one) for one in (menu.id, live, draft, term.id)}
    assert shown.changed_at == "Fri, 02 Jan 2026 03:04:05 GMT"
    assert await backend.public_menus.one("main", "de") is None

    other = menu_of(item(), key="other", locale="de")
    await stored(backend, other)
    those = await backend.public_menus.those([menu.id, new_id(), other.id])
    assert {one.used.partition(",")[0]: json.loads(one.json) for one in those} == {
        str(menu.id): body,
        str(other.id): json.loads((await backend.public_menus.one("other", "de")).json),
    }
    page = PageRequest(sort=(SortKey("key", descending=True),), count="exact")
    listed = await backend.public_menus.list(page, NO_SELECTION)
    assert [json.loads(one.json)["key"] for one in listed.items] == ["other", "main"]
    assert (listed.count, listed.items[1].used) == (2, str(menu.id))
    some = await backend.public_menus.list(page, Selection(fields=("locale", "key")))
    assert [one.json for one in some.items] == [
        '{"locale":"de","key":"other"}',
        '{"locale":"en","key":"main"}',
    ]
    assert [one.used for one in some.items] == [one.used for one in listed.items]
