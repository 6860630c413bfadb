"""HTTP/1.1 by uvicorn, which answers what is kept as soon as it is asked for."""

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from cms_api.adapters.http.context import RequestContext


class Protocol(HttpToolsProtocol):
    """Sends kept answers at once: without a task, and without looking at each header again.

    That is most of what they cost. Everything else goes the server's own way, and so does all where
    a request can't be answered at once: others before it are not answered yet, or the client does not read.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        handler = getattr(self.app, "asgi_handler", None)
        self._context = handler if isinstance(handler, RequestContext) else None

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if (
            self._context is None
            or app is not self.app  # the server is too busy, and says so
            or self.pipeline
            or self.flow.write_paused
            or (written := self._context.written(cycle.scope)) is None  # type: ignore[arg-type]
        ):
            super()._start_asgi_task(cycle, app)
            return
        head, body = written
        own = [b"%b: %b\r\n" % header for header in cycle.default_headers]
        if not cycle.keep_alive:
            own.append(b"connection: close\r\n")
        self.transport.write(b"".join([head, *own, b"\r\n", body]))
        cycle.response_started = cycle.response_complete = True
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()
