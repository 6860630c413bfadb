"""bcrypt, off the event loop."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import bcrypt

from cms_api.domains.auth.users.ports import PasswordHasher


class BcryptHasher(PasswordHasher):
    """bcrypt with 2 to the ``rounds`` iterations, on a thread for each core."""

    def __init__(self, *, rounds: int) -> None:
        self._rounds = rounds
        self._threads = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="bcrypt")
        # Verified against where there is no user, so that both cases cost the same time.
        self._nobody = bcrypt.hashpw(os.urandom(16).hex().encode(), bcrypt.gensalt(rounds))

    async def hash(self, password: str) -> str:
        work = partial(bcrypt.hashpw, password.encode(), bcrypt.gensalt(self._rounds))
        return (await asyncio.get_running_loop().run_in_executor(self._threads, work)).decode()

    async def verify(self, password: str, password_hash: str | None) -> bool:
        against = password_hash.encode() if password_hash is not None else self._nobody
        work = partial(bcrypt.checkpw, password.encode(), against)
        right = await asyncio.get_running_loop().run_in_executor(self._threads, work)
        return right and password_hash is not None
