"""A WordPress site that moves in: what readers see of its comments and menus, and that it moves in once."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.integration.cms.cms_client import ANY, API, CONTENT, answered, at, items, rows
from tests.unit.test_wxr import category, comment, item, menu_item, wxr

from cms_api.adapters.wordpress.wxr import WxrFile
from cms_api.bootstrap.container import Application
from cms_api.domains.cms.imports.interface import ImportReport
from cms_api.kernel.actor import SYSTEM

Import = Callable[..., Awaitable[ImportReport]]

NEWS = (
    "<wp:category><wp:term_id>3</wp:term_id><wp:category_nicename>news</wp:category_nicename>"
    "<wp:cat_name>News</wp:cat_name></wp:category>"
)
MAIN = (
    "<wp:term><wp:term_id>4</wp:term_id><wp:term_taxonomy>nav_menu</wp:term_taxonomy>"
    "<wp:term_slug>main</wp:term_slug><wp:term_name>Main menu</wp:term_name></wp:term>"
)
THREADS = (
    comment("21", content="First", date_gmt="2024-05-01 12:01:00", author_email="grace@example.org"),
    comment("23", content="Reply", parent="21", date_gmt="2024-05-01 12:03:00"),
    comment("22", content="Second", date_gmt="2024-05-01 12:02:00"),
    comment("25", content="Reply to it", parent="24", date_gmt="2024-05-01 12:05:00"),
    comment("24", content="Reply to the reply", parent="23", date_gmt="2024-05-01 12:04:00"),
    comment("31", content="Waits", approved="0"),
    comment("32", content="Buy", approved="spam"),
    comment("33", content="Gone", approved="trash"),
    comment("34", type="pingback"),
)
POST = item(*THREADS, post_id="1", post_name="hello", title="Hello", comment_status="closed")
PAGE = item(
    comment("41", content="On a page"), post_id="2", post_type="page", post_name="about", title="About"
)
PRODUCT = item(comment("51"), post_id="3", post_type="product")
MENU = (
    menu_item(post_id="61", title="", menu_order="1", type="post_type", object="page", object_id="2"),
    menu_item(post_id="62", title="More", menu_order="2", url="#"),
    menu_item(
        post_id="63", title="Shop", menu_order="3", menu_item_parent="62", type="post_type",
        object="product", object_id="3",
    ),
    menu_item(
        post_id="64", title="", menu_order="4", menu_item_parent="63", type="taxonomy",
        object="category", object_id="3",
    ),
    menu_item(post_id="65", title="Hello again", menu_order="5", url="https://site.example/blog/hello/"),
    menu_item(post_id="66", title="Else", menu_order="6", url="https://else.example/", target="_blank"),
)  # fmt: skip
WHOLE = (NEWS, MAIN, *MENU, POST, PAGE, PRODUCT)


@pytest.fixture
def take(application: Application, tmp_path: Path) -> Import:
    """Imports an export that has these parts."""

    async def work(*parts: str) -> ImportReport:
        path = tmp_path / "export.xml"
        path.write_text(wxr(*parts))
        report: ImportReport = await application.container.cms.imports().run(
            SYSTEM,
            WxrFile(path),
            new_uow=application.unit_of_work,
            fetch_files=False,
            progress=lambda _: None,
        )
        return report

    return work


def told(report: ImportReport) -> dict[str, tuple[int, int, int, int, int]]:
    return {
        kind: (tally.read, tally.created, tally.updated, tally.unchanged, tally.skipped)
        for kind, tally in report.tallies.items()
    }


async def the(client: httpx.AsyncClient, kind: str, slug: str) -> dict[str, Any]:
    return answered(
        await client.get(f"{CONTENT}/{kind}/{'by-path' if kind == 'pages' else 'by-slug'}/{slug}"), 200
    )


def outline(shown: list[dict[str, Any]]) -> list[Any]:
    found: list[Any] = []
    for one in shown:
        found.append((one["label"], one["url"]))
        if one["children"]:
            found.append(outline(one["children"]))
    return found


async def test_comments_and_menus_move_in(
    take: Import, client: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    report = await take(*WHOLE)
    assert told(report) == {
        "category": (1, 1, 0, 0, 0),
        "comment": (9, 9, 0, 0, 0),
        "menu": (1, 1, 0, 0, 0),
        "page": (1, 1, 0, 0, 0),
        "post": (1, 1, 0, 0, 0),
    }
    assert report.unplaced == {"comment on something that is not here": 1, "pingback": 1, "type:product": 1}
    assert report.notes == [
        ("menu main, item 63 “Shop”", "the product that it leads to is not here: left out")
    ]

    post, page = await the(client, "posts", "hello"), await the(client, "pages", "about")
    below = f"{CONTENT}/posts/{post['id']}/comments"
    assert [(one["body"], one["depth"], one["created_at"]) for one in await items(client, below)] == [
        ("First", 0, "2024-05-01T12:01:00Z"),
        ("Reply", 1, "2024-05-01T12:03:00Z"),
        ("Reply to the reply", 2, "2024-05-01T12:04:00Z"),
        ("Reply to it", 3, "2024-05-01T12:05:00Z"),
        ("Second", 0, "2024-05-01T12:02:00Z"),
    ]
    (only,) = await items(client, f"{CONTENT}/pages/{page['id']}/comments")
    assert only["html"] == '<p dir="auto">On a page</p>'
    assert answered(await admin.get(f"{API}/comments/counts"), 200) == {
        "pending": 1, "approved": 6, "spam": 1, "trash": 1,
    }  # fmt: skip
    refused = await client.post(
        below, json={"author_name": "G", "author_email": "g@example.org", "body": "Hm."}
    )
    answered(refused, 409, "comments_closed")

    menu = answered(await client.get(f"{CONTENT}/menus/main"), 200)
    assert menu["name"] == "Main menu"
    assert outline(menu["items"]) == [
        ("About", "/about"),
        ("More", "#"),
        [("News", None)],
        ("Hello again", "/hello/"),
        ("Else", "https://else.example/"),
    ]
    assert [one["opens_in_new_tab"] for one in menu["items"]] == [False, False, False, True]


async def test_a_second_time_nothing_happens(take: Import, database_url: str) -> None:
    await take(*WHOLE)

    def state() -> list[Any]:
        tables = (
            "activity.events",
            "cms.reader_comments",
            "cms.menus",
            "cms.menu_items",
            "cms.comment_settings",
        )
        return [rows(database_url, f"SELECT t FROM {table} t ORDER BY t::text") for table in tables]

    before = state()
    report = await take(*WHOLE)
    assert {kind: counts[3] for kind, counts in told(report).items()} == {
        "category": 1, "comment": 9, "menu": 1, "page": 1, "post": 1,
    }  # fmt: skip
    assert report.notes == []
    assert state() == before


async def test_what_was_decided_here_in_between_stays(
    take: Import, client: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    await take(*WHOLE)
    post = await the(client, "posts", "hello")
    known = {
        one["body"]: one for one in await items(admin, f"{API}/comments?filter[document_id]={post['id']}")
    }
    answered(await admin.post(f"{API}/comments/{known['Second']['id']}/spam", headers=ANY), 200)
    answered(await admin.delete(f"{API}/comments/{known['Reply']['id']}", headers=ANY), 204)
    settings = await admin.get(f"{API}/posts/{post['id']}/comment-settings")
    changed = await admin.patch(
        f"{API}/posts/{post['id']}/comment-settings",
        json={"is_open": True},
        headers=at(answered(settings, 200)["version"]),
    )
    assert answered(changed, 200)["accepts"]
    (menu,) = await items(admin, f"{API}/menus")
    answered(await admin.patch(f"{API}/menus/{menu['id']}", json={"name": "Mine"}, headers=ANY), 200)

    later = comment("26", content="Later", date_gmt="2024-05-01 12:00:30")
    late = comment("27", content="To what is gone", parent="23")
    more = item(*THREADS, later, late, post_id="1", post_name="hello", title="Hello", comment_status="open")
    foot = menu_item(post_id="71", menu="foot", title="Foot")
    report = await take(NEWS, MAIN, *MENU[:2], foot, more, PAGE, PRODUCT)
    counts = told(report)
    assert (counts["comment"], counts["menu"]) == ((11, 1, 0, 9, 1), (2, 1, 0, 0, 1))
    assert report.notes == [
        ("comment 27 on 1", "What it replies to is no longer there."),
        ("menu main", "it was changed here since the last import: left as it is"),
    ]
    shown = await items(client, f"{CONTENT}/posts/{post['id']}/comments")
    assert [one["body"] for one in shown] == ["Later", "First"]
    assert answered(await admin.get(f"{API}/posts/{post['id']}/comment-settings"), 200)["is_open"] is True
    assert answered(await client.get(f"{CONTENT}/menus/main"), 200)["name"] == "Mine"
    assert len(answered(await client.get(f"{CONTENT}/menus/main"), 200)["items"]) == 4


async def test_a_menu_that_is_here_already_stays(take: Import, admin: httpx.AsyncClient) -> None:
    made = await admin.post(f"{API}/menus", json={"key": "main", "name": "Mine", "items": []})
    answered(made, 201)
    report = await take(MAIN, *MENU, item(category("category", "news", "News"), post_id="1"))
    assert told(report)["menu"] == (1, 0, 0, 0, 1)
    assert ("menu main", "Another menu of this language has the key “main”.") in report.notes
    (menu,) = await items(admin, f"{API}/menus")
    assert (menu["name"], menu["item_count"]) == ("Mine", 0)
