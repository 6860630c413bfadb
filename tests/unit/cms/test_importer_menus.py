"""Taking over menus: whole trees, whatever of them has a place."""

from typing import Any

import pytest
from msgspec.structs import replace
from tests.fakes_cms import FakeCms
from tests.unit.cms.test_importer import category, counts, created, document, page, post, tag, term, unchanged

from cms_api.domains.cms.imports import menus as taking
from cms_api.domains.cms.imports import steps
from cms_api.domains.cms.imports.interface import ImportReport
from cms_api.domains.cms.imports.menus import address, menu_key
from cms_api.domains.cms.imports.source import SourceMenu, SourceMenuItem, SourceSite
from cms_api.domains.cms.menus.interface import MenuChanges, MenuItemView, NewMenu
from cms_api.domains.cms.menus.items import MAX_ITEMS
from cms_api.domains.cms.menus.model import Menu
from cms_api.domains.cms.menus.service import check_key, view
from cms_api.kernel.actor import SYSTEM

SITE = SourceSite(url="https://old.example", title="Old")
MAIN = SourceMenu(key="main", name="Main menu")


def item(key: str, **values: Any) -> SourceMenuItem:
    """An item that leads to an address, unless something else is said."""
    return SourceMenuItem(
        **(
            {
                "key": key,
                "menu_key": "main",
                "menu_name": "Main",
                "parent_key": None,
                "order": int(key),
                "label": f"Item {key}",
                "title": "",
                "target": "url",
                "target_kind": "custom",
                "target_key": f"https://else.example/{key}",
                "opens_in_new_tab": False,
                "is_shown": True,
            }
            | values
        )
    )


def to(target: Any, key: str) -> dict[str, Any]:
    return {"target": target, "target_kind": target, "target_key": key}


def stored(cms: FakeCms, key: str = "main") -> Menu:
    return cms.store.menus[cms.store.imported["old.example", "menu", key].target_id]


def outline(cms: FakeCms, key: str = "main") -> list[Any]:
    """The labels as nested lists: each item's, then what hangs below it."""

    def told(items: tuple[MenuItemView, ...]) -> list[Any]:
        found: list[Any] = []
        for one in items:
            found.append((one.label or "").removeprefix("Item "))
            if one.children:
                found.append(told(one.children))
        return found

    return told(view(stored(cms, key)).items)


def reasons(report: ImportReport) -> dict[str, str]:
    return {what.split(" “")[0].split(" ")[-1]: why for what, why in report.notes}


async def test_a_menu_with_all_that_it_points_at(cms: FakeCms, run) -> None:
    report = await run(
        item("1", label="", title="Read this", **to("page", "7")),
        item("2", opens_in_new_tab=True, **to("post", "8")),
        item("3", label="", **to("category", "12")),
        item("4", **to("tag", "12")),
        item("5"),
        MAIN,
        replace(category("news"), number="12"),
        replace(tag("news"), number="12"),
        replace(tag("else"), number="13"),
        page("7"),
        post("8"),
    )
    assert counts(report.of("menu")) == created(1)
    assert (report.unplaced, report.notes) == ({}, [])
    menu = stored(cms)
    assert (menu.key, menu.name, menu.locale) == ("main", "Main menu", "en")
    assert [(one.label, one.title, one.opens_in_new_tab) for one in menu.items] == [
        (None, "Read this", False),
        ("Item 2", None, True),
        (None, None, False),
        ("Item 4", None, False),
        ("Item 5", None, False),
    ]
    assert [(one.target.kind, one.target.id or one.target.url) for one in menu.items] == [
        ("document", document(cms, "7", "page").id),
        ("document", document(cms, "8").id),
        ("category", term(cms, "category", "news").id),
        ("tag", term(cms, "tag", "news").id),
        ("url", "https://else.example/5"),
    ]
    assert cms.names().count("menu.created") == 1


async def test_order_and_nesting(cms: FakeCms, run) -> None:
    await run(
        item("1", order=5),
        item("2", order=1),
        item("3", order=3, parent_key="2"),
        item("4", order=2, parent_key="3"),
        item("5", order=2, parent_key="2"),
        item("10", order=5),
    )
    assert outline(cms) == ["2", ["5", "3", ["4"]], "1", "10"]
    assert stored(cms).name == "Main"


async def test_deeper_than_menus_go(cms: FakeCms, run) -> None:
    keys = [str(number) for number in range(1, 10)]
    parents = dict(zip(keys[1:], keys, strict=False))
    report = await run(*(item(key, parent_key=parents.get(key)) for key in keys))
    assert outline(cms) == ["1", ["2", ["3", ["4", ["5", ["6", "7", "8", "9"]]]]]]
    assert report.notes == []


async def test_what_has_no_place_is_left_out_and_what_hangs_below_moves_up(cms: FakeCms, run) -> None:
    report = await run(
        item("1"),
        item("2", parent_key="1", **to("post", "99")),
        item("3", parent_key="2", target=None, target_kind="product", target_key="5"),
        item("4", parent_key="3"),
        item("5", parent_key="1"),
        item("6", **to("category", "12")),
        item("7", parent_key="6"),
        item("8", target_key="javascript:alert(1)"),
        item("9", label=""),
        item("10", is_shown=False),
        item("11", label="x" * 201),
    )
    assert counts(report.of("menu")) == created(1)
    assert outline(cms) == ["1", ["4", "5"], "7"]
    assert list(reasons(report)) == ["2", "3", "6", "8", "9", "10", "11"]
    assert all(why.endswith(": left out") for why in reasons(report).values())
    assert reasons(report)["3"] == "the product that it leads to is not here: left out"
    assert report.notes[0][0] == "menu main, item 2 “Item 2”"


@pytest.mark.parametrize(
    ("parents", "made"),
    [
        ({"1": "1"}, ["2", "3", "1"]),
        ({"1": "2", "2": "1"}, ["3", "1", ["2"]]),
        ({"1": "3", "2": "1", "3": "2"}, ["1", ["2", ["3"]]]),
        ({"2": "99"}, ["1", "2", "3"]),
    ],
)
async def test_circles_and_parents_elsewhere(cms: FakeCms, run, parents: dict[str, str], made: Any) -> None:
    await run(*(item(key, parent_key=parents.get(key)) for key in "123"))
    assert outline(cms) == made


async def test_an_empty_menu(cms: FakeCms, run) -> None:
    assert counts((await run(MAIN)).of("menu")) == created(1)
    assert stored(cms).items == ()


async def test_run_again_it_changes_nothing(cms: FakeCms, run) -> None:
    items = [MAIN, item("1"), item("2", **to("post", "99")), item("3", **to("page", "7")), page("7")]
    await run(*items)
    before = cms.store.copied()
    cms.clock.move(days=1)
    report = await run(*items)
    assert counts(report.of("menu")) == unchanged(1)
    assert report.notes == []
    assert cms.store.copied() == before


async def test_what_changed_there_changes_here(cms: FakeCms, run) -> None:
    await run(MAIN, item("1"), item("2"))
    report = await run(SourceMenu(key="main", name="New"), item("1", label="Item one"), item("3"))
    assert counts(report.of("menu")) == (1, 0, 1, 0, 0)
    assert (stored(cms).name, outline(cms), stored(cms).version) == ("New", ["one", "3"], 2)


async def test_what_was_not_here_comes_in_once_it_is(cms: FakeCms, run) -> None:
    await run(item("1", **to("post", "7")))
    report = await run(item("1", **to("post", "7")), post("7"))
    assert counts(report.of("menu")) == (1, 0, 1, 0, 0)
    assert outline(cms) == ["1"]


async def test_what_changed_here_is_left_alone(cms: FakeCms, run) -> None:
    await run(MAIN, item("1"))
    async with cms.uow() as uow:
        await cms.menus.update(uow, SYSTEM, stored(cms).id, MenuChanges(name="Mine"), expected=None)
    assert counts((await run(MAIN, item("1"))).of("menu")) == unchanged(1)
    report = await run(MAIN, item("1"), item("2"))
    assert counts(report.of("menu")) == (1, 0, 0, 0, 1)
    assert report.notes == [("menu main", "it was changed here since the last import: left as it is")]
    assert (stored(cms).name, outline(cms)) == ("Mine", ["1"])


async def test_what_was_deleted_here_stays_deleted(cms: FakeCms, run) -> None:
    await run(MAIN, item("1"))
    async with cms.uow() as uow:
        await cms.menus.delete(uow, SYSTEM, stored(cms).id, expected=None)
    assert counts((await run(MAIN, item("1"))).of("menu")) == unchanged(1)
    assert counts((await run(MAIN, item("2"))).of("menu")) == (1, 0, 0, 0, 1)
    assert cms.store.menus == {}


async def test_a_target_that_was_deleted_here_changes_no_menu(cms: FakeCms, run) -> None:
    items = [item("1", **to("post", "7")), item("2"), post("7")]
    await run(*items)
    del cms.store.documents[document(cms, "7").id]
    assert counts((await run(*items)).of("menu")) == unchanged(1)
    report = await run(*items, item("3"))
    assert counts(report.of("menu")) == (1, 0, 1, 0, 0)
    assert outline(cms) == ["2", "3"]
    assert reasons(report) == {"1": "the post that it leads to is not here: left out"}


async def test_a_key_that_is_taken_here(cms: FakeCms, run) -> None:
    async with cms.uow() as uow:
        mine = await cms.menus.create(uow, SYSTEM, NewMenu(key="main", name="Mine"))
    report = await run(MAIN, item("1"), item("2", menu_key="foot", menu_name="Foot"))
    assert counts(report.of("menu")) == (2, 1, 0, 0, 1)
    assert report.notes == [("menu main", "Another menu of this language has the key “main”.")]
    assert (cms.store.menus[mine.id].name, cms.store.menus[mine.id].items) == ("Mine", ())
    assert outline(cms, "foot") == ["2"]


async def test_more_items_than_menus_have(cms: FakeCms, run) -> None:
    report = await run(*(item(str(number)) for number in range(MAX_ITEMS + 1)))
    assert counts(report.of("menu")) == (1, 0, 0, 0, 1)
    assert cms.store.menus == {}


async def test_few_are_held_at_once(cms: FakeCms, run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "HELD", 10 * steps.COST)
    items = [item(str(number), menu_key="long") for number in range(20)]
    report = await run(item("90"), *items, SourceMenu(key="late", name="Late"))
    assert counts(report.of("menu")) == (2, 1, 0, 0, 1)
    assert outline(cms) == ["90"]
    assert report.unplaced[taking.UNHELD] > 10
    assert report.notes == [("menu long", "it has more items than an import holds: left out")]


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ("main", "main"),
        ("Haupt-Menü_2", "haupt-menu-2"),
        ("x" * 99 + "-yz", "x" * 99),
        ("メニュー", "menu-" + menu_key("メニュー").removeprefix("menu-")),
    ],
)
def test_keys(given: str, key: str) -> None:
    assert check_key(menu_key(given)) == key
    assert menu_key("メニュー") != menu_key("меню")


@pytest.mark.parametrize(
    ("given", "site", "made"),
    [
        ("https://else.example/a?b#c", "old.example", "https://else.example/a?b#c"),
        ("https://old.example", "old.example", "/"),
        ("http://Old.example/a/?b=1#c", "old.example", "/a/?b=1#c"),
        ("https://old.example?p=1", "old.example", "/?p=1"),
        ("https://old.example//else.example", "old.example", "/else.example"),
        ("https://old.example.org/a", "old.example", "https://old.example.org/a"),
        ("https://old.example/blog/a", "old.example/blog", "/a"),
        ("https://old.example/blogs/a", "old.example/blog", "https://old.example/blogs/a"),
        ("http://localhost:8080/a", "localhost:8080", "/a"),
        ("//else.example/a", "old.example", "https://else.example/a"),
        ("/a/b", "old.example", "/a/b"),
        ("?p=1", "old.example", "/?p=1"),
        ("a/b", "old.example", "/a/b"),
        ("index.php?p=1", "old.example", "/index.php?p=1"),
        ("www.else.example/a", "old.example", "http://www.else.example/a"),
        (" https://else.example/a b ", "old.example", "https://else.example/a%20b"),
        ("mailto:a@b.example", "old.example", "mailto:a@b.example"),
        ("javascript:alert(1)", "old.example", "javascript:alert(1)"),
        ("http://[x", "old.example", "http://[x"),
        ("", "old.example", ""),
        ("#", "old.example", "#"),
    ],
)
def test_addresses(given: str, site: str, made: str) -> None:
    assert address(given, site) == made
