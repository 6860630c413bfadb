"""A throwaway PostgreSQL for the tests: given, in a container, embedded, or the system's.

One server for each test process, one database for each test: a clone of a migrated template.
"""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

import psycopg

from cms_api.adapters.postgres.binaries import find_binaries
from cms_api.adapters.postgres.server import EmbeddedPostgres
from cms_api.adapters.sqlalchemy import migrations

GIVEN = "CMS_TEST_DATABASE_URL"
CHOICE = "CMS_TEST_CHOICE"
IMAGE = os.environ.get("CMS_TEST_IMAGE", "postgres:15")

_numbers = count(1)


def choose() -> tuple[str, str]:
    """Which server the tests run on, and a line that tells why."""
    if os.environ.get(GIVEN):
        return "given", f"PostgreSQL for tests: the one of {GIVEN}"
    if (reason := _no_container()) is None:
        return "container", f"PostgreSQL for tests: a container of {IMAGE}"
    found = find_binaries()
    return (
        "embedded",
        f"PostgreSQL for tests: {found.origin}, version {found.major} (no container: {reason})",
    )


def _no_container() -> str | None:
    """Why there can be no container, or None where there can."""
    import docker  # noqa: PLC0415 - loaded only where it is asked for
    import requests  # noqa: PLC0415

    host = os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    if host.startswith("unix://") and not _listens(host.removeprefix("unix://")):
        return "no engine answers"
    try:
        # A version that is named is not asked for, so that nothing connects before ping().
        client = docker.from_env(timeout=2, version="1.41")
    except docker.errors.DockerException:
        return "no engine answers"
    try:
        client.ping()
        client.images.get(IMAGE)
    except docker.errors.ImageNotFound:
        try:
            client.images.pull(IMAGE)
        except docker.errors.APIError:
            return f"the image {IMAGE} is not here and can't be pulled"
    except (docker.errors.DockerException, requests.RequestException):
        return "no engine answers"
    finally:
        client.close()
    return None


def _listens(path: str) -> bool:
    """Whether somebody listens at a socket; asked here, as the client library leaks its own when not."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(path) == 0


class Server:
    """A running server, on which databases are made and dropped."""

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self._template = f"cms_test_template_{name}"
        self._prefix = f"cms_test_{name}"

    def url_of(self, database: str) -> str:
        return self._url.rsplit("/", 1)[0] + "/" + database

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(statement)

    def prepare(self) -> None:
        """Make the template that all test databases are cloned from."""
        self._execute(f"DROP DATABASE IF EXISTS {self._template} WITH (FORCE)")
        self._execute(f"CREATE DATABASE {self._template} TEMPLATE template0 ENCODING 'UTF8'")
        migrations.upgrade(self.url_of(self._template))

    @contextmanager
    def database(self, *, migrated: bool = True) -> Iterator[str]:
        """The URL of a fresh database."""
        name = f"{self._prefix}_{next(_numbers)}"
        template = self._template if migrated else "template0"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        try:
            yield self.url_of(name)
        finally:
            self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def finish(self) -> None:
        self._execute(f"DROP DATABASE IF EXISTS {self._template} WITH (FORCE)")


@contextmanager
def running(name: str) -> Iterator[Server]:
    """The server of this test process, called ``name``."""
    with ExitStack() as stack:
        choice = os.environ.get(CHOICE) or choose()[0]
        if choice == "given":
            url = os.environ[GIVEN]
        elif choice == "container":
            from testcontainers.community.postgres import PostgresContainer  # noqa: PLC0415

            container = PostgresContainer(IMAGE, driver=None)
            container.with_command("postgres -c fsync=off -c full_page_writes=off -c synchronous_commit=off")
            url = stack.enter_context(container).get_connection_url()
        else:
            folder = Path(tempfile.mkdtemp(prefix="cms-test-"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            url = stack.enter_context(EmbeddedPostgres(folder, throwaway=True))
        server = Server(url, name)
        server.prepare()
        stack.callback(server.finish)
        yield server
