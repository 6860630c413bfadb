"""A site that many tests share, as none of them changes it."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import msgspec
import psycopg
import pytest
import pytest_asyncio
from litestar import Litestar
from tests.conftest import ADMIN_EMAIL, PASSWORD, sign_in
from tests.integration import database
from tests.integration.http.asking import make, make_live, upload
from tests.integration.http.library import library_of

from cms_api.app import create_app
from cms_api.settings import Settings

COUNTED = (
    "auth.users",
    "cms.documents",
    "cms.publications",
    "cms.terms",
    "cms.authors",
    "cms.media",
    "cms.redirects",
    "cms.menus",
)


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """A running site with one of everything. ``ids`` has the id of each, by the plural of its kind."""

    app: Litestar
    database_url: str
    admin: httpx.AsyncClient
    visitor: httpx.AsyncClient
    ids: dict[str, str]

    def counts(self) -> list[Any]:
        """How much of everything there is."""
        with psycopg.connect(self.database_url) as connection:
            return [connection.execute(f"SELECT count(*) FROM {table}").fetchone() for table in COUNTED]


@pytest.fixture(scope="module")
def site_database_url(server: database.Server) -> Iterator[str]:
    """A database for all tests of a module."""
    with server.database() as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(site_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """The site. Tests that use it run in the module's event loop, and leave it as they found it."""
    settings = Settings(
        database_url=site_database_url,
        data_dir=tmp_path_factory.mktemp("site"),
        secret_key="a secret for tests, 32 bytes long",
        bcrypt_rounds=4,
        pool_size=4,
        max_upload_bytes=200_000,
        comment_rate="1000/1s",
        log_level="error",
    )
    app = create_app(settings)
    application = app.state.application
    await application.start()

    def client() -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://cms.test")

    try:
        async with application.unit_of_work() as uow:
            users = application.container.auth.users()
            await users.ensure_administrator(uow, email=ADMIN_EMAIL, name="Ada", password=PASSWORD)
        async with client() as admin, client() as visitor:
            signed_in = await sign_in(admin, ADMIN_EMAIL)
            made = {
                "tags": await make(admin, "tags", name="Ant"),
                "categories": await make(admin, "categories", name="News"),
                "authors": await make(admin, "authors", name="Grace"),
                "media": await upload(admin),
                "posts": await make_live(admin, "posts", title="First", body="<p>one</p>"),
                "pages": await make_live(admin, "pages", title="About"),
                "redirects": await make(admin, "redirects", source="/old", target="/about"),
                "menus": await make(admin, "menus", key="main", name="Main"),
                "users": signed_in["user"],
            }
            ids = {kind: str(one["id"]) for kind, one in made.items()}
            yield Site(app=app, database_url=site_database_url, admin=admin, visitor=visitor, ids=ids)
    finally:
        await application.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def library(site: Site) -> dict[str, Any]:
    """What `library_of` makes."""
    return await library_of(site.admin)
