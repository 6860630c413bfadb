"""HTTP/1.1 by uvicorn, which answers what is kept as soon as it is asked for."""

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from cms_api.adapters.http.context import SECURITY, RequestContext, head_of, lines_of, new_request_id
from cms_api.adapters.http.problems import MEDIA_TYPE, refusal

# Of a request's address and headers, in bytes.
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
        self._is_in_head = False
        # The names and values of a head so far; and what was read without getting any further.
        self._head_size = self._unread = 0
        self._is_further = False
        self._status = 400
        self._is_refused = False

    def data_received(self, data: bytes) -> None:
        """Read on. A head that has no end is refused (RFC 6585, section 5), and so is what stands behind a body."""
        if self._is_refused:
            return
        self._is_further = False
        super().data_received(data)
        self._unread = 0 if self._is_further else self._unread + len(data)
        if self._unread > MAX_HEAD:
            self._refuse(431)

    def on_message_begin(self) -> None:
        """Begin with a request."""
        super().on_message_begin()
        self._is_in_head = self._is_further = True
        self._head_size = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header. Behind the body it is a trailer, and none of them (RFC 9110, section 6.5.1)."""
        if self._is_in_head:
            self._head_size += len(name) + len(value)
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin to answer. Raises `ValueError` where the head is too large."""
        self._is_in_head, self._is_further = False, True
        if self._head_size + len(self.url) > MAX_HEAD:
            self._status = 431
            raise ValueError("The head is too large.")
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._is_further = True
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request, or too large, as a problem like all others."""
        del msg
        self._refuse(self._status)

    def _refuse(self, status: int) -> None:
        """Say what is wrong, unless that would come in the middle of an answer; and read no more."""
        if self._is_refused or self.transport.is_closing():
            return
        self._is_refused = True
        if self.cycle is None or self.cycle.response_complete:
            self._tell(status)
            self.transport.write_eof()
            self.loop.call_later(LINGERING, self.transport.close)
        elif self.cycle.more_body:  # it is what can't be read on
            self.transport.close()
        else:
            self.cycle.keep_alive = False  # the connection ends with the answer to what was right

    def _tell(self, status: int) -> None:
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
        self.transport.write(b"%b\r\n%b" % (head_of(status, headers), body))

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
        own = lines_of(cycle.default_headers)
        if not cycle.keep_alive:
            own += b"connection: close\r\n"
        self.transport.write(b"".join([head, own, b"\r\n", body]))
        cycle.response_started = cycle.response_complete = True
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()
