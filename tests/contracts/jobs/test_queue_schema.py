"""What we take for granted of the queue's library: its tables, and what it asks of them."""

import pytest
from procrastinate import App, PsycopgConnector, sql
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from cms_api.adapters.jobs import schema


def test_the_migrations_know_the_installed_library() -> None:
    newest = schema.shipped()[-1]
    assert newest == schema.NEWEST, (
        "The library brings new migrations: write a revision that calls `schema.upgrade`, then raise NEWEST."
    )


async def test_the_library_finds_itself_at_home(database_url: str) -> None:
    options = {"options": f"-c search_path={schema.SCHEMA}"}
    app = App(connector=PsycopgConnector(conninfo=database_url, min_size=1, max_size=1, kwargs=options))
    async with app.open_async():
        assert await app.check_connection_async()
        worker = await app.job_manager.register_worker()
        assert await app.job_manager.fetch_job(queues=None, worker_id=worker) is None
        assert list(await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=1)) == []
        await app.job_manager.unregister_worker(worker)
    assert sql.queries["defer_jobs"]


def test_nothing_of_it_is_outside_of_its_schema(database_url: str) -> None:
    engine = create_engine(make_url(database_url).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    with engine.connect() as connection:
        strays = connection.execute(
            text(
                "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
                " WHERE relname LIKE '%procrastinate%' AND nspname <> 'queue'"
                " UNION ALL SELECT proname FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace"
                " WHERE proname LIKE '%procrastinate%' AND nspname <> 'queue'"
            )
        ).all()
        noted = connection.execute(text("SELECT name FROM queue.migrations ORDER BY name")).scalars().all()
    assert strays == []
    assert noted == schema.shipped()


def test_an_upgrade_runs_what_is_new_and_keeps_the_path(
    database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    """As if the library had just brought its last two migrations."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    new = {
        "99.00.00_01_pre.sql": "CREATE TABLE procrastinate_new (a text DEFAULT '100%');",
        "99.00.00_50_post.sql": "",
    }
    for name, script in new.items():
        (folder / name).write_text(script or "INSERT INTO procrastinate_new VALUES ('x');")
    monkeypatch.setattr(schema, "files", lambda _: tmp_path)
    engine = create_engine(make_url(database_url).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    for _ in range(2):
        with engine.begin() as connection:
            before = connection.execute(text("SHOW search_path")).scalar()
            schema.upgrade(connection)
            assert connection.execute(text("SHOW search_path")).scalar() == before
    with engine.connect() as connection:
        assert connection.execute(text("SELECT a FROM queue.procrastinate_new")).scalars().all() == ["x"]
