"""What the tests of the cms domain over HTTP share."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import event

from cms_api.bootstrap.container import Application


@pytest.fixture
def counting(application: Application, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """Collects the statements that are sent, by units of work and by queries."""
    reader = application.container.core.reader()
    real = reader._executed

    @asynccontextmanager
    async def collect() -> AsyncIterator[list[str]]:
        engine = application.container.core.engine().sync_engine
        seen: list[str] = []

        async def executed(sql: str, params: Any, **options: Any) -> Any:
            seen.append(" ".join(sql.split()))
            return await real(sql, params, **options)

        def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            seen.append(" ".join(statement.split()))

        event.listen(engine, "before_cursor_execute", note)
        monkeypatch.setattr(reader, "_executed", executed)
        try:
            yield seen
        finally:
            monkeypatch.undo()
            event.remove(engine, "before_cursor_execute", note)

    return collect
