"""``cms serve``."""

import os
import socket
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import rich_click as click

from cms_api.cli.runtime import console, database, ensure_administrator, migrated, settings_of
from cms_api.settings import Settings, variable

if TYPE_CHECKING:
    from cms_api.adapters.postgres.server import EmbeddedPostgres

WORKER = "cms_api.cli.worker:create"
HEALTHCHECK_SECONDS = 30


@click.command()
@click.option("--host", help="Address to listen on. [CMS_HOST, 127.0.0.1]")
@click.option("--port", type=int, help="Port to listen on. [CMS_PORT, 8000]")
@click.option("--workers", type=int, help="Number of processes. [CMS_WORKERS, 1]")
@click.option(
    "--data-dir", type=click.Path(path_type=Path), help="Where data are kept. [CMS_DATA_DIR, ./.cms]"
)
@click.option(
    "--background/--no-background",
    default=None,
    help="Whether to run jobs and schedules too; else `cms worker` does. [CMS_BACKGROUND, true]",
)
def serve(
    *,
    host: str | None,
    port: int | None,
    workers: int | None,
    data_dir: Path | None,
    background: bool | None,
) -> None:
    """Serve the API.

    Without `CMS_DATABASE_URL` a private PostgreSQL is started below the data directory, and
    stopped at the end. The database is migrated, and the first administrator created.
    """
    from cms_api.adapters.postgres.server import EmbeddedPostgres

    settings = settings_of(host=host, port=port, workers=workers, data_dir=data_dir, background=background)
    _check_port(settings)
    server = EmbeddedPostgres(settings.data_dir) if settings.database_url is None else None
    with database(settings, server=server) as ready:
        migrated(ready)
        administrator = ensure_administrator(ready)
        if administrator is not None:
            email, password = administrator
            shown = f"password [bold]{password}[/] (shown this once)" if password else "your password"
            console.print(f"First administrator: [bold]{email}[/], {shown}", highlight=False, soft_wrap=True)
        _serve(ready, server)


def _check_port(settings: Settings) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise click.ClickException(
                f"Can't listen on {settings.host}:{settings.port}: {error.strerror}. Choose another with --port."
            ) from None


def _serve(settings: Settings, server: "EmbeddedPostgres | None") -> None:
    import uvicorn

    from cms_api.adapters.http.protocol import Protocol
    from cms_api.adapters.postgres.keeper import Keeper
    from cms_api.bootstrap.secret import secret_key
    from cms_api.cli.supervisor import Supervisor
    from cms_api.cli.worker import SUPERVISOR

    # The workers are processes of their own, and read their settings like everybody else.
    handed = {"host", "port", "workers", "data_dir", "database_url", "background"}
    os.environ.update({variable(name): str(getattr(settings, name)) for name in handed})
    os.environ[variable("secret_key")] = settings.secret_key or secret_key(settings.data_dir)
    os.environ.pop(variable("admin_password"), None)
    os.environ[SUPERVISOR] = str(os.getpid())
    config = uvicorn.Config(
        WORKER,
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        http=Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # who asks is worked out by the application, from proxies that are named
        timeout_graceful_shutdown=settings.shutdown_timeout,
        timeout_worker_healthcheck=HEALTHCHECK_SECONDS,
    )
    listener = config.bind_socket()
    Thread(target=_announce, args=(settings,), daemon=True).start()
    # Also for a single worker: one that dies is replaced, and SIGHUP renews them one by one.
    supervisor = Supervisor(config, [listener], keeper=Keeper(server) if server is not None else None)
    supervisor.run()
    listener.close()
    if supervisor.failure is not None:
        raise click.ClickException(supervisor.failure)
    console.print("Stopped.")


def _announce(settings: Settings) -> None:
    """Print the URLs once the first worker answers."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - compared with
    while True:
        with suppress(OSError), socket.create_connection((host, settings.port), timeout=1):
            break
        time.sleep(0.05)
    address = settings.public_url or settings.listens_at
    console.print(
        f"CMS API on [bold]{address}[/] · manual at {address}/docs · Ctrl-C stops",
        highlight=False,
        soft_wrap=True,
    )
