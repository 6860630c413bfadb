"""HTTP/1.1 by uvicorn, which answers what is kept as soon as it is asked for."""

from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from cms_api.adapters.http.context import SECURITY, RequestContext, new_request_id
from cms_api.adapters.http.problems import MEDIA_TYPE, refusal

# Of a request's address and headers, in bytes: about, as what is read at once is counted at once.
MAX_HEAD = 65_536
# How long a client that was refused may go on, in seconds: closed at once, it might not get the answer
# (RFC 9112, section 9.6).
LINGERING = 1.0


class Protocol(HttpToolsProtocol):
    """Sends kept answers at once: without a task, and without looking at each header again.

    That is most of what they cost. Everything else goes the server's own way, and so does all where
    a request can't be answered at once: others before it are not answered yet, or the client does not read.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        handler = getattr(self.app, "asgi_handler", None)
        self._context = handler if isinstance(handler, RequestContext) else None
        # What has been read of a head that is not complete yet.
        self._head_size = 0
        self._is_in_head = False
        self._is_refused = False

    def data_received(self, data: bytes) -> None:
        """Read on. A head that has no end is refused (RFC 6585, section 5)."""
        if self._is_refused:
            return
        super().data_received(data)
        if not self._is_in_head or self._is_refused:
            return
        self._head_size += len(data)
        if self._head_size > MAX_HEAD:
            self._refuse(431)

    def on_message_begin(self) -> None:
        """Begin with a request."""
        super().on_message_begin()
        self._is_in_head = True

    def on_headers_complete(self) -> None:
        """Begin to answer."""
        self._head_size = 0
        self._is_in_head = False
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request, as a problem like all others."""
        del msg
        self._refuse(400)

    def _refuse(self, status: int) -> None:
        self._is_refused = True
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:  # else an answer is on its way
            request_id = new_request_id()
            body = refusal(status, request_id.decode())
            headers = [
                *self.server_state.default_headers,
                (b"content-type", MEDIA_TYPE.encode()),
                (b"content-length", b"%d" % len(body)),
                (b"x-request-id", request_id),
                *SECURITY,
                (b"connection", b"close"),
            ]
            head = b"".join([b"%b: %b\r\n" % header for header in headers])
            phrase = HTTPStatus(status).phrase.encode()
            self.transport.write(b"HTTP/1.1 %d %b\r\n%b\r\n%b" % (status, phrase, head, body))
            self.transport.write_eof()
            self.loop.call_later(LINGERING, self.transport.close)
        else:
            self.transport.close()

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
