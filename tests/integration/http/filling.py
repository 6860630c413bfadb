"""One more row of everything that the application lists."""

from typing import Any

import httpx
from tests.conftest import ADMIN_EMAIL, PASSWORD, sign_in
from tests.integration.http.asking import ANY, API, CONTENT, make, make_live, upload
from tests.integration.http.conftest import Site

# In all titles and names, to be searched for: no word that a search leaves out.
WORD = "Heron"
DOCUMENTS = ("posts", "pages", "entries/event")
TITLES = {"entries/event": "headline"}
STEPS = "entries/step"


async def prepare(admin: httpx.AsyncClient) -> None:
    """Have a type that goes through a workflow, and comments shown as they come."""
    await make(admin, "content-types", key="step", fields=[{"key": "name", "type": "text"}])
    await _do(admin, "PATCH", f"{API}/workflows/step", is_enabled=True)
    await _do(admin, "PATCH", f"{API}/comments/rules", enabled=True, requires_moderation=False)


async def add(site: Site, hubs: dict[str, str], number: int) -> None:
    """A row more in each list: of what is there by itself, and of what belongs to one of ``hubs``.

    Everything new leads to something new, so that what a list includes grows along with it.
    """
    admin, name = site.admin, f"{WORD} {number}"
    media = [(await upload(admin, title=f"{name} {part}"))["id"] for part in ("post", "page", "author")]
    tag = (await make(admin, "tags", name=name))["id"]
    category = hubs["categories"]
    for level in ("Above", "Between", WORD):
        category = (await make(admin, "categories", name=f"{level} {number}", parent_id=category))["id"]
    author = (await make(admin, "authors", name=name, avatar_id=media[2]))["id"]
    await make(admin, "authors", name=f"Other {number}", avatar_id=hubs["media"])
    by = {"authors": [author, hubs["authors"]]}
    content = by | {"title": name, "body": f"<p>{WORD} of {number}</p>"}
    terms = {"tags": [tag, hubs["tags"]], "categories": [category, hubs["categories"]]}
    post = await make_live(admin, "posts", **content, **terms, cover=media[0])
    top = await make_live(admin, "pages", title=f"Top {number}", **by, cover=hubs["media"])
    above = by | {"parent": top["id"], "cover": media[1]}
    page = await make_live(admin, "pages", title=f"Above {number}", **above)
    below = await make_live(admin, "pages", **content, parent=page["id"], cover=media[1])
    city = (await make_live(admin, "entries/city", name=name, **by))["id"]
    place = (await make_live(admin, "entries/place", name=name, city=city, **by))["id"]
    event = {"headline": name, "place": place, "stands": [{"name": name, "by": city}]} | by
    inner = (await make_live(admin, "entries/event", **event, others=[place]))["id"]
    links = [post["id"], below["id"], place, inner, *(hubs[kind] for kind in DOCUMENTS)]
    await make_live(admin, "entries/event", **event, others=links)
    await _add_of_itself(site, number)
    await _add_to_hubs(site, hubs, number)
    await make(admin, "previews", documents=[post["id"]])
    target = {"kind": "document", "id": post["id"]}
    await _do(admin, "POST", f"{API}/menus/{hubs['menus']}/items", target=target)


async def _add_of_itself(site: Site, number: int) -> None:
    admin = site.admin
    await sign_in(site.visitor, ADMIN_EMAIL)
    del site.visitor.headers["Authorization"]
    await make(admin, "menus", key=f"more-{number}", name="More")
    await make(admin, "redirects", source=f"/more-{number}", target="/x")
    await make(admin, "content-types", key=f"more_{number}", fields=[{"key": "name", "type": "text"}])
    await _do(admin, "PATCH", f"{API}/content-types/event", name=f"Event {number}")
    step = await make(admin, STEPS, name=f"{WORD} {number}")
    await _do(admin, "POST", f"{API}/{STEPS}/{step['id']}/move", stage="in_review")
    await _do(
        admin, "POST", f"{API}/posts/bulk", action="publish", filter={"slug": f"none-{number}"}, dry_run=True
    )


async def _add_to_hubs(site: Site, hubs: dict[str, str], number: int) -> None:
    admin = site.admin
    email = f"more-{number}@example.org"
    await make(admin, "users", email=email, name=f"{WORD} {number}", password=PASSWORD, roles=["editor"])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(site.app), base_url="http://cms.test") as user:
        await sign_in(user, email)
        for kind in DOCUMENTS:
            of = f"{kind}/{hubs[kind]}"
            await _do(user, "POST", f"{API}/{of}/presence")
            said = await make(user, f"{of}/comments", body=f"{WORD} {number}")
            await make(admin, f"{of}/comments", body="Yes.", parent_id=said["id"])
            await _do(admin, "POST", f"{API}/{of}/lock")
            await _do(admin, "PATCH", f"{API}/{of}", **{TITLES.get(kind, "title"): f"{WORD} {number} again"})
            when = f"2036-12-{10 + number}T09:00:00Z"
            await _do(admin, "POST", f"{API}/{of}/schedule", publish_at=when)
            await _do(user, "POST", f"{CONTENT}/{of}/comments", body=f"{WORD} {number}")


async def _do(client: httpx.AsyncClient, method: str, url: str, **body: Any) -> None:
    response = await client.request(method, url, headers=ANY, **({"json": body} if body else {}))
    assert response.is_success, (url, response.text)
