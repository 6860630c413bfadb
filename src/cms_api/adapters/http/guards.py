"""What is checked before any handler runs."""

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from cms_api.adapters.http.lists import parameters
from cms_api.kernel.errors import Malformed


def refuse_unknown_parameters(connection: ASGIConnection, handler: BaseRouteHandler) -> None:  # type: ignore[type-arg]
    """Refuse a query string where the handler reads none (``opt["listing"]`` and ``opt["query"]`` do)."""
    if b"%00" in connection.scope["raw_path"]:
        raise Malformed("The character U+0000 is not allowed.")
    query = connection.scope["query_string"]
    if query and "listing" not in handler.opt and "query" not in handler.opt:
        names = sorted({name[:100] for name, _ in parameters(query)}) or ["?"]
        raise Malformed(f"There is no query parameter “{'”, “'.join(names)}” here.")
