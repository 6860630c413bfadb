"""The supervisor of workers."""

import signal
from socket import socket

from uvicorn import Config
from uvicorn.supervisors import Multiprocess

from cms_api.adapters.postgres.errors import StartFailed
from cms_api.adapters.postgres.keeper import Keeper


class Supervisor(Multiprocess):
    """uvicorn's, which keeps the embedded database running beside the workers.

    It does so in its own loop: the thread that starts the database must last as long as that.
    """

    def __init__(self, config: Config, sockets: list[socket], *, keeper: Keeper | None) -> None:
        super().__init__(config, sockets)
        self._keeper = keeper
        # Why it ended, where nobody told it to.
        self.failure: str | None = None

    def keep_subprocess_alive(self) -> None:
        """Replace workers that died or hang; not without the database, as none can start then."""
        if self._has_database():
            super().keep_subprocess_alive()
            if self.should_exit.is_set():
                self.failure = "A worker can't start."

    def handle_hup(self) -> None:
        """Renew the workers, once the database is there that they need to start."""
        if self._has_database():
            super().handle_hup()
        else:
            self.signal_queue.append(signal.SIGHUP)

    def _has_database(self) -> bool:
        """Whether workers can start. What does not come back ends everything."""
        if self.should_exit.is_set():
            return False
        try:
            return self._keeper is None or self._keeper.keep()
        except StartFailed as error:
            self.failure = str(error)
            self.should_exit.set()
            return False
