"""The sign-in flow, step by step and all or nothing."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import psycopg
import pytest
from litestar import Litestar
from sqlalchemy import text
from tests.conftest import ADMIN_EMAIL, PASSWORD, sign_in

from cms_api.adapters.http.openapi import document
from cms_api.adapters.sqlalchemy.auth.repositories import SqlAlchemySessions, SqlAlchemyUsers
from cms_api.bootstrap.container import Application
from cms_api.settings import Settings

LOGIN = "/api/v1/auth/login"
RIGHT = {"email": ADMIN_EMAIL, "password": PASSWORD}


def rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement).fetchall()


def state(url: str) -> tuple[Any, ...]:
    return (
        rows(url, "SELECT count(*) FROM auth.sessions"),
        rows(url, "SELECT count(*) FROM auth.refresh_tokens"),
        rows(url, "SELECT last_login_at FROM auth.users ORDER BY id"),
        rows(url, "SELECT count(*) FROM activity.events"),
    )


async def test_the_flow(client: httpx.AsyncClient, database_url: str) -> None:
    before = datetime.now(UTC)
    response = await client.post(LOGIN, json={"email": "  ADA@Example.org ".strip(), "password": PASSWORD})

    assert response.status_code == 200
    answer = response.json()
    assert set(answer) == {"user", "access_token", "refresh_token", "token_type", "expires_in"}
    assert answer["token_type"] == "Bearer"
    assert answer["user"]["email"] == ADMIN_EMAIL
    assert response.headers["cache-control"] == "no-store"
    [(last_login,)] = rows(database_url, "SELECT last_login_at FROM auth.users")
    assert last_login >= before
    [(digest,)] = rows(database_url, "SELECT digest FROM auth.refresh_tokens")
    assert len(digest) == 32
    assert answer["refresh_token"].encode() not in bytes(digest)
    [(name,)] = rows(database_url, "SELECT name FROM activity.events ORDER BY position DESC LIMIT 1")
    assert name == "session.started"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"email": "nobody@example.org", "password": PASSWORD}, 401, "wrong_credentials"),
        ({"email": ADMIN_EMAIL, "password": "wrong password"}, 401, "wrong_credentials"),
        ({"email": "no address", "password": PASSWORD}, 401, "wrong_credentials"),
        ({"email": ADMIN_EMAIL, "password": "x" * 73}, 422, "invalid"),
        ({"email": ADMIN_EMAIL, "password": "ä" * 37}, 422, "invalid"),
        ({"email": ADMIN_EMAIL}, 422, "invalid"),
        ({"email": ADMIN_EMAIL, "password": PASSWORD, "admin": True}, 422, "invalid"),
    ],
)
async def test_what_is_refused(
    client: httpx.AsyncClient, database_url: str, body: dict[str, Any], status: int, code: str
) -> None:
    before = state(database_url)
    response = await client.post(LOGIN, json=body)
    assert (response.status_code, response.json()["code"]) == (status, code)
    if status == 401:
        assert response.headers["www-authenticate"].startswith("Bearer")
    if len(body.get("password", "")) > 36 and status == 422:
        assert [error["pointer"] for error in response.json()["errors"]] == ["/password"]
    assert state(database_url) == before


async def test_unknown_and_wrong_say_the_same_and_hash_alike(
    client: httpx.AsyncClient, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasher, calls = application.container.core.hasher(), []
    verify = hasher.verify

    async def counted(password: str, password_hash: str | None) -> bool:
        calls.append(password_hash is None)
        return bool(await verify(password, password_hash))

    monkeypatch.setattr(hasher, "verify", counted)
    unknown = (await client.post(LOGIN, json={**RIGHT, "email": "nobody@example.org"})).json()
    wrong = (await client.post(LOGIN, json={**RIGHT, "password": "wrong password"})).json()
    unknown.pop("request_id")
    wrong.pop("request_id")
    assert unknown == wrong
    assert calls == [True, False]


async def test_an_inactive_user_is_told_so(admin: httpx.AsyncClient, user_client: Callable[..., Any]) -> None:
    other = await user_client("author")
    user = (await other.get("/api/v1/auth/me")).json()["user"]
    url = f"/api/v1/users/{user['id']}"
    assert (await admin.patch(url, json={"is_active": False}, headers={"If-Match": "*"})).status_code == 200

    assert (await other.get("/api/v1/auth/me")).status_code == 401
    refused = await other.post(
        LOGIN, json={"email": user["email"], "password": PASSWORD}, headers={"Authorization": ""}
    )
    assert refused.status_code == 401
    del other.headers["Authorization"]
    refused = await other.post(LOGIN, json={"email": user["email"], "password": PASSWORD})
    assert (refused.status_code, refused.json()["code"]) == (403, "user_inactive")


class Broken(Exception):
    """What the tests below throw in."""


async def broken(*_: Any, **__: Any) -> Any:
    raise Broken


def broken_now(*_: Any, **__: Any) -> Any:
    raise Broken


@pytest.mark.parametrize("step", ["tokens", "session", "refresh token", "last login", "event"])
async def test_no_row_stays_when_a_step_fails(
    client: httpx.AsyncClient,
    application: Application,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    before = state(database_url)
    match step:
        case "tokens":
            monkeypatch.setattr(application.container.auth.tokens(), "issue", broken_now)
        case "session":
            monkeypatch.setattr(SqlAlchemySessions, "add", broken)
        case "refresh token":
            monkeypatch.setattr(SqlAlchemySessions, "add_token", broken)
        case "last login":
            monkeypatch.setattr(SqlAlchemyUsers, "save", broken)
        case "event":
            monkeypatch.setattr("cms_api.adapters.sqlalchemy.unit_of_work.TELL", text("SELECT no_such_thing"))
    response = await client.post(LOGIN, json=RIGHT)
    assert response.status_code == 500
    assert response.json()["code"] == "internal_error"
    assert "Broken" not in response.text
    assert state(database_url) == before
    monkeypatch.undo()
    assert (await client.post(LOGIN, json=RIGHT)).status_code == 200


async def test_refresh_rotates_and_reuse_ends_the_session(
    client: httpx.AsyncClient, database_url: str
) -> None:
    first = await sign_in(client, ADMIN_EMAIL)
    refresh = "/api/v1/auth/refresh"
    second = await client.post(refresh, json={"refresh_token": first["refresh_token"]})
    assert second.status_code == 200
    assert second.json()["refresh_token"] != first["refresh_token"]

    stolen = await client.post(refresh, json={"refresh_token": first["refresh_token"]})
    assert (stolen.status_code, stolen.json()["code"]) == (401, "token_reused")
    after = await client.post(refresh, json={"refresh_token": second.json()["refresh_token"]})
    assert after.status_code == 401
    assert (await client.get("/api/v1/auth/me")).status_code == 401
    assert rows(database_url, "SELECT revoked_at IS NOT NULL FROM auth.sessions") == [(True,)]


async def test_sessions_page_by_page(admin: httpx.AsyncClient) -> None:
    url = "/api/v1/auth/sessions"
    for number in range(3):
        login = await admin.post(LOGIN, json=RIGHT, headers={"User-Agent": f"Agent {number}"})
        assert login.status_code == 200
    whole = (await admin.get(f"{url}?count=exact")).json()
    assert ([one["is_current"] for one in whole["items"]], whole["count"]) == ([False] * 3 + [True], 4)
    walked, query = [], "?limit=3"
    for _ in range(2):
        page = (await admin.get(url + query)).json()
        walked += page["items"]
        query = f"?limit=3&after={page['page']['next']}"
    assert (walked, page["page"]["next"]) == (whole["items"], None)
    back = (await admin.get(f"{url}?limit=3&before={page['page']['prev']}")).json()
    assert back["items"] == whole["items"][:3]
    asked = {
        "filter": {"or": [{"user_agent": "Agent 1"}, {"user_agent": {"in": ["Agent 2"]}}]},
        "fields": ["user_agent"],
        "sort": ["created_at"],
    }
    told = (await admin.post(f"{url}/query", json=asked)).json()
    assert told["items"] == [{"user_agent": "Agent 1"}, {"user_agent": "Agent 2"}]
    refused = await admin.get(f"{url}?filter[user_id][exists]=true")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "unknown_filter")


async def test_logout_counts_at_once(admin: httpx.AsyncClient) -> None:
    assert (await admin.post("/api/v1/auth/logout")).status_code == 204
    assert (await admin.get("/api/v1/auth/me")).json()["code"] == "invalid_token"


async def test_tokens_that_are_not_ours(admin: httpx.AsyncClient, settings: Settings) -> None:
    token = admin.headers["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, options={"verify_signature": False})
    past = int((datetime.now(UTC) - timedelta(hours=1)).timestamp())
    secret = settings.secret_key or ""
    forged = [
        token[:-2] + ("aa" if token[-2:] != "aa" else "bb"),
        jwt.encode(claims, None, algorithm="none"),
        jwt.encode(claims, "another secret of sufficient length", algorithm="HS256"),
        jwt.encode(claims, secret * 2, algorithm="HS512"),
        jwt.encode({**claims, "exp": past}, secret, algorithm="HS256"),
        jwt.encode({k: v for k, v in claims.items() if k != "sid"}, secret, algorithm="HS256"),
        "x" * 3000,
        "ü",
    ]
    for one in forged:
        response = await admin.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {one}".encode()})
        assert response.status_code == 401, one
        assert response.json()["code"] == "invalid_token"


async def test_changing_the_password_ends_other_sessions(
    admin: httpx.AsyncClient, new_client: Callable[..., httpx.AsyncClient]
) -> None:
    other = new_client()
    await sign_in(other, ADMIN_EMAIL)
    change = "/api/v1/auth/password/change"
    wrong = await admin.post(
        change, json={"current_password": "not this one", "new_password": "a new password"}
    )
    assert [error["pointer"] for error in wrong.json()["errors"]] == ["/current_password"]
    right = await admin.post(change, json={"current_password": PASSWORD, "new_password": "a new password"})
    assert right.status_code == 204
    assert (await admin.get("/api/v1/auth/me")).status_code == 200
    assert (await other.get("/api/v1/auth/me")).status_code == 401
    assert (await other.post(LOGIN, json=RIGHT, headers={"Authorization": "Bearer"})).status_code == 401


async def test_the_last_administrator_stays(admin: httpx.AsyncClient) -> None:
    me = (await admin.get("/api/v1/auth/me")).json()["user"]
    url = f"/api/v1/users/{me['id']}"
    for change in ({"is_active": False}, {"roles": ["editor"]}):
        response = await admin.patch(url, json=change, headers={"If-Match": "*"})
        assert (response.status_code, response.json()["code"]) == (409, "last_administrator")
    assert (await admin.delete(url, headers={"If-Match": "*"})).status_code == 409


def _properties(schema: Any, schemas: dict[str, Any], seen: set[str]) -> set[str]:
    """All property names that a schema can hold, references followed."""
    found: set[str] = set()
    if isinstance(schema, dict):
        reference = schema.get("$ref", "")
        if reference and reference not in seen:
            seen.add(reference)
            found |= _properties(schemas[reference.rsplit("/", 1)[1]], schemas, seen)
        properties = schema.get("properties")
        if isinstance(properties, dict):
            found |= set(properties)
        for value in schema.values():
            found |= _properties(value, schemas, seen)
    elif isinstance(schema, list):
        for value in schema:
            found |= _properties(value, schemas, seen)
    return found


async def test_no_response_schema_has_a_secret(app: Litestar) -> None:
    made = document(app)
    checked = 0
    for path in made["paths"].values():
        for operation in path.values():
            for response in operation["responses"].values():
                reference = response.get("$ref", "")
                found = (
                    made["components"]["responses"][reference.rsplit("/", 1)[1]] if reference else response
                )
                for content in found.get("content", {}).values():
                    names = _properties(content.get("schema"), made["components"]["schemas"], set())
                    assert not {
                        n for n in names if any(w in n for w in ("password", "hash", "digest", "secret"))
                    }
                    checked += 1
    assert checked > 100
    assert "password" in _properties(
        made["components"]["schemas"]["Login"], made["components"]["schemas"], set()
    )


async def test_nothing_secret_is_logged_or_answered(
    admin: httpx.AsyncClient, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    [(password_hash,)] = rows(database_url, "SELECT password_hash FROM auth.users")
    me = (await admin.get("/api/v1/auth/me")).json()["user"]
    answers = [
        await admin.get(f"/api/v1/users/{me['id']}"),
        await admin.get("/api/v1/users"),
        await admin.post("/api/v1/users", json={"email": ADMIN_EMAIL, "name": "x", "password": PASSWORD}),
        await admin.post(LOGIN, json={"email": ADMIN_EMAIL, "password": PASSWORD + "!", "x": 1}),
        await admin.post(
            "/api/v1/auth/password/change", json={"current_password": PASSWORD, "new_password": "short"}
        ),
    ]
    written = "".join(answer.text for answer in answers) + "".join(capsys.readouterr())
    assert password_hash not in written
    assert PASSWORD not in written
    assert "password_hash" not in written
