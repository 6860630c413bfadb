"""What is checked before any handler runs."""

from litestar.types import Scope

from cms_api.adapters.http.lists import parameters
from cms_api.kernel.errors import Malformed


def refuse_unknown_parameters(scope: Scope) -> None:
    """Refuse a query string where the handler reads none (``opt["listing"]`` and ``opt["query"]`` do)."""
    if b"%00" in scope["raw_path"]:
        raise Malformed("The character U+0000 is not allowed.")
    query, opt = scope["query_string"], scope["route_handler"].opt
    if query and "listing" not in opt and "query" not in opt:
        names = sorted({name[:100] for name, _ in parameters(query)}) or ["?"]
        raise Malformed(f"There is no query parameter “{'”, “'.join(names)}” here.")
