"""A job's progress as server-sent events (WHATWG HTML, section 9.2)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial

import msgspec
import structlog

from cms_api.adapters.http.events import MEDIA_TYPE, SILENCE, STILL_HERE, event, unbroken
from cms_api.adapters.http.identity import bearer_token
from cms_api.adapters.http.requests import ApiRequest
from cms_api.domains.auth.api import IdentityService
from cms_api.domains.jobs.api import OVER, JobService, JobView

# In seconds: how often the job is looked at.
POLL = 0.5

STREAM = {
    "description": "Events until the job is over. The data of each is the job (`JobView`), the id its version."
    " A stream that ends without `end` was cut off: ask again.",
    "schema": {"type": "string", "contentMediaType": MEDIA_TYPE},
    "example": 'event: progress\nid: 7\ndata: {"id":"01936f2a-d1c8-7b6e-9c1f-3a5b7d9e0f12","state":"running",…}\n\n',
}

_log = structlog.get_logger("cms.jobs")


class Watch:
    """One client that watches one job. Between two looks it holds no connection to the database."""

    def __init__(
        self, request: ApiRequest, jobs: JobService, identity: IdentityService, *, first: JobView
    ) -> None:
        self._actor = request.user
        self._token = bearer_token(request.scope)
        self._stopping: asyncio.Event = request.app.state.stopping
        self._jobs = jobs
        self._identity = identity
        self._job = first

    def events(self) -> AsyncIterator[bytes]:
        """The stream. It ends early where the client's rights or the service end; others' errors too."""
        return unbroken(self._changes(), partial(_log.warning, "watch_interrupted"))

    async def _changes(self) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        silent_since = identified_at = loop.time()
        yield self._event("progress")
        while self._job.state not in OVER:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), POLL)
                return
            if loop.time() - identified_at > SILENCE and self._token is not None:
                self._actor, identified_at = await self._identity.identify(self._token), loop.time()
            job = await self._jobs.get(self._actor, self._job.id)
            if job.version != self._job.version:
                self._job, silent_since = job, loop.time()
                yield self._event("progress")
            elif loop.time() - silent_since > SILENCE:
                silent_since = loop.time()
                yield STILL_HERE
        yield self._event("end")

    def _event(self, name: str) -> bytes:
        return event(name, str(self._job.version), msgspec.json.encode(self._job))
