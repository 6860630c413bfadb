"""Keeping the embedded server running."""

import time
from contextlib import suppress

import structlog

from cms_api.adapters.postgres.errors import EmbeddedPostgresError, StartFailed
from cms_api.adapters.postgres.server import EmbeddedPostgres

TRIES = 5
# In seconds: before the first start; the pause doubles with each. Together they outlast a statement, as the
# processes of a server that was killed may go on with one for a moment, and no other can start meanwhile.
FIRST_PAUSE = 1.0
# A server that answered for so long was well: what ends it then is news.
WELL = 60.0

_log = structlog.get_logger("cms.postgres")


class Keeper:
    """Starts ``server``, which runs, again whenever it ends; its end and its return are told once each."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._server = server
        self._is_up = True
        self._changed_at = time.monotonic()
        self._tries = 0
        self._next_at = 0.0

    def keep(self) -> bool:
        """Whether the server answers; one that has ended is started again.

        Does not wait: to be called again and again, by the thread that started the server. Raises `StartFailed`
        once five starts did not lead to a minute without an end.
        """
        now = time.monotonic()
        if self._server.has_ended:
            self._start_again(now)
        elif not self._is_up and self._server.running() is not None:
            _log.info("postgres_returned", seconds=round(now - self._changed_at, 1))
            self._is_up, self._changed_at = True, now
        elif self._is_up and now - self._changed_at > WELL:
            self._tries = 0
        return self._is_up

    def _start_again(self, now: float) -> None:
        if self._is_up:
            _log.error("postgres_ended", log=str(self._server.log))
            self._is_up, self._changed_at = False, now
            self._next_at = now + FIRST_PAUSE * 2**self._tries
        if self._tries == TRIES:
            raise StartFailed(
                f"PostgreSQL has ended, and did not come back after {TRIES} starts. "
                f"Its log says why: {self._server.log}"
            )
        if now < self._next_at:
            return
        self._tries += 1
        self._next_at = now + FIRST_PAUSE * 2**self._tries
        with suppress(EmbeddedPostgresError, OSError):
            self._server.start_again()
