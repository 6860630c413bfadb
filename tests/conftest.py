"""What all tests share."""

import gc
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar
from tests.integration import database

from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.app import create_app
from cms_api.bootstrap.container import Application
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.settings import Settings

ADMIN_EMAIL = "ada@example.org"
PASSWORD = "correct horse battery"


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say which PostgreSQL the tests run on; the test processes are told as well."""
    chosen = [Path(arg.split("::")[0]) for arg in config.invocation_params.args if not arg.startswith("-")]
    if chosen and all("unit" in path.parts for path in chosen):
        return None
    choice, line = database.choose()
    os.environ[database.CHOICE] = choice
    return line


@pytest.fixture(scope="session")
def server(worker_name: str) -> Iterator[database.Server]:
    """The PostgreSQL server of this test process."""
    with database.running(worker_name) as found:
        yield found


@pytest.fixture(scope="session")
def worker_name(request: pytest.FixtureRequest) -> str:
    """The name of this test process, ``main`` where there is one only."""
    return getattr(request.config, "workerinput", {}).get("workerid", "main")


@pytest.fixture
def database_url(server: database.Server) -> Iterator[str]:
    """A fresh, migrated database."""
    with server.database() as url:
        yield url


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings on the fresh database, with hashing made cheap."""
    return Settings(
        database_url=database_url,
        data_dir=tmp_path,
        secret_key="a secret for tests, 32 bytes long",
        bcrypt_rounds=4,
        pool_size=4,
        log_level="error",
    )


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[Litestar]:
    """The running application, with an administrator."""
    # What it is made of stays: looking for garbage meanwhile would take a third of the time, in each test.
    gc.disable()
    try:
        made = create_app(settings)
    finally:
        gc.enable()
    application: Application = made.state.application
    # Not through the lifespan: fixtures are set up and taken down by different tasks.
    await application.start()
    try:
        async with application.unit_of_work() as uow:
            await application.container.auth.users().ensure_administrator(
                uow, email=ADMIN_EMAIL, name="Ada", password=PASSWORD
            )
        yield made
    finally:
        await application.stop()


@pytest.fixture
def application(app: Litestar) -> Application:
    """The services behind the running application."""
    found: Application = app.state.application
    return found


@pytest.fixture
def new_uow(application: Application) -> Callable[[], UnitOfWork]:
    """Makes units of work on the fresh database."""
    return application.unit_of_work


@pytest.fixture
async def new_client(app: Litestar) -> AsyncIterator[Callable[..., httpx.AsyncClient]]:
    """Makes HTTP clients of the running application."""
    async with AsyncExitStack() as stack:

        def make(**options: Any) -> httpx.AsyncClient:
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            client = httpx.AsyncClient(transport=transport, base_url="http://cms.test", **options)
            stack.push_async_callback(client.aclose)
            return client

        yield make


@pytest.fixture
def client(new_client: Callable[..., httpx.AsyncClient]) -> httpx.AsyncClient:
    """A client that is nobody."""
    return new_client()


async def sign_in(client: httpx.AsyncClient, email: str, password: str = PASSWORD) -> dict[str, Any]:
    """Sign the client in, and return the answer."""
    response = await client.post("/api/v1/auth/login", json={"email": email, "password": password})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    client.headers["Authorization"] = f"Bearer {answer['access_token']}"
    return answer


@pytest.fixture
async def admin(new_client: Callable[..., httpx.AsyncClient]) -> httpx.AsyncClient:
    """A client signed in as administrator."""
    client = new_client()
    await sign_in(client, ADMIN_EMAIL)
    return client


@pytest.fixture
def user_client(admin: httpx.AsyncClient, new_client: Callable[..., httpx.AsyncClient]) -> Callable[..., Any]:
    """Makes a user with some roles and a client signed in as her."""

    async def make(*roles: str, email: str = "bea@example.org", name: str = "Bea") -> httpx.AsyncClient:
        body = {"email": email, "name": name, "password": PASSWORD, "roles": list(roles)}
        response = await admin.post("/api/v1/users", json=body)
        assert response.status_code == 201, response.text
        client = new_client()
        await sign_in(client, email)
        return client

    return make


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements of queries, in the order in which they are sent."""
    seen: list[str] = []
    for name in ("rows", "one"):
        original = getattr(Reader, name)

        async def counted(
            self: Reader, sql: str, params: Any = None, original: Any = original, **options: Any
        ) -> Any:
            seen.append(sql)
            return await original(self, sql, params, **options)

        monkeypatch.setattr(Reader, name, counted)
    return seen
