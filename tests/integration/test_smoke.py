"""The shortest way through everything."""

import httpx


async def test_a_post_from_draft_to_reader(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    made = await admin.post(
        "/api/v1/posts", json={"title": "Grüße aus Köln", "body": "*Hi*", "format": "markdown"}
    )
    assert made.status_code == 201
    post = made.json()
    assert post["slug"] == "grüße-aus-köln"
    assert (await client.get("/api/v1/content/posts/by-slug/grüße-aus-köln")).status_code == 404
    url = f"/api/v1/posts/{post['id']}/publish"
    published = await admin.post(url, headers={"If-Match": made.headers["etag"]})
    assert published.json()["status"] == "published"
    read = await client.get("/api/v1/content/posts/by-slug/grüße-aus-köln")
    assert read.status_code == 200
    assert read.json()["body"] == "<p><em>Hi</em></p>\n"
