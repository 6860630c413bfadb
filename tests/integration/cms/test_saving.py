"""Saving a draft: never lost, and at a cost that does not grow."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import psycopg
from tests.integration.cms.cms_client import ANY, API, answered, at, change, do, make, rows

# What saving a post takes at most: who asks; the lock, the look, whose it is, the keyframe, the revision
# with its content, the document, its links, its words, the event and its notification; who is editing it; and
# one look for each kind of thing that a changed field points at.
BUDGET = 12
KINDS = 4
TEXT = "\n".join(f"Line {number} of a post that has some length, as posts have." for number in range(340))


async def test_a_save_takes_the_same_statements_whatever_there_is(
    admin: httpx.AsyncClient, counting: Callable[[], Any], database_url: str
) -> None:
    post = await make(admin, "posts", title="One", body=TEXT)

    async def save(**body: Any) -> list[str]:
        async with counting() as statements:
            await change(admin, "posts", post, **body)
        return list(statements)

    first = await save(body=TEXT + "\nOne more line.")
    assert len(first) <= BUDGET, first
    tags = [(await make(admin, "tags", name=f"Tag {number}"))["id"] for number in range(40)]
    assert len(await save(tags=tags)) <= BUDGET + KINDS
    for number in range(60):
        await change(admin, "posts", post, body=f"{TEXT}\nSave number {number}.")
    with psycopg.connect(database_url) as connection:
        connection.execute(
            """
            WITH made AS (
                SELECT gen_random_uuid() AS id, gen_random_uuid() AS revision, n FROM generate_series(1, 500) n),
            documents AS (
                INSERT INTO cms.documents
                    (id, type, locale, slug, path, title, draft_revision_id, created_at, updated_at)
                SELECT id, 'post', 'en', 'p' || n, 'p' || n, 'P', revision, now(), now() FROM made),
            contents AS (INSERT INTO cms.contents (document_id, hash, data) SELECT id, '', '' FROM made)
            INSERT INTO cms.revisions (document_id, id, document_version, hash, size, created_at)
            SELECT id, revision, 1, '', 0, now() FROM made
            """
        )
    assert len(await save(body=TEXT + "\nThe last line.")) == len(first)


async def test_of_two_who_save_at_once_one_is_told(admin: httpx.AsyncClient) -> None:
    post = await make(admin, "posts", title="One", body="old")
    for version in range(1, 12):
        answers = await asyncio.gather(
            *(
                admin.patch(
                    f"{API}/posts/{post['id']}", json={"body": f"{version} {name}"}, headers=at(version)
                )
                for name in "abcd"
            )
        )
        assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
        winner = next(answer.json() for answer in answers if answer.status_code == 200)
        read = answered(await admin.get(f"{API}/posts/{post['id']}"), 200)
        assert (read["body"], read["version"]) == (winner["body"], version + 1)
        for answer in answers:
            if answer.status_code == 412:
                problem = answered(answer, 412, "stale")
                assert (problem["current_version"], problem["changed_fields"]) == (version + 1, ["body"])


async def test_who_insists_waits_and_sees_what_the_other_saved(admin: httpx.AsyncClient) -> None:
    post = await make(admin, "posts", title="One")
    answers = await asyncio.gather(
        *(admin.patch(f"{API}/posts/{post['id']}", json={"title": name}, headers=ANY) for name in "abcdefgh"),
        *(admin.post(f"{API}/posts/{post['id']}/publish", headers=ANY) for _ in range(4)),
    )
    assert {answer.status_code for answer in answers} == {200}
    assert sorted(answer.json()["version"] for answer in answers) == list(range(2, 14))


async def test_equal_contents_are_kept_once(admin: httpx.AsyncClient, database_url: str) -> None:
    post = await make(admin, "posts", title="One", body=TEXT)
    for _ in range(5):
        await change(admin, "posts", post, body=TEXT + "\nMore.")
        await change(admin, "posts", post, body=TEXT)
    await do(admin, "posts", post, "publish")
    for table, number in (("revisions", 11), ("contents", 2)):
        assert rows(database_url, f"SELECT count(*) FROM cms.{table}") == [(number,)]


async def test_a_line_changed_is_a_line_stored(admin: httpx.AsyncClient, database_url: str) -> None:
    lines = TEXT.split("\n")
    post = await make(admin, "posts", title="One", body=TEXT)
    for number in range(50):
        lines[number * 6] = f"Line {number * 6} was written anew."
        await change(admin, "posts", post, body="\n".join(lines))
    ((stored, largest),) = rows(
        database_url, "SELECT sum(length(data))::int, max(length(data)) FROM cms.contents"
    )
    whole = len(TEXT.encode())
    assert stored < 2 * whole  # fifty-one contents, of that size each
    assert largest < whole
