"""What is checked before any handler runs."""

from litestar.enums import HttpMethod
from litestar.types import Scope

from cms_api.adapters.http.lists import parameters, refusal, unknown_parameter
from cms_api.adapters.http.previewing import PARAMETER, can_be_previewed, takes_preview
from cms_api.kernel.errors import Malformed, Unauthenticated
from cms_api.querying.parsing import Refused

# Some clients send an empty object with every POST.
EMPTY = len("{}")
# Who reads a body that is no argument of the handler: files, and questions for lists.
READS_BODY = {"multipart", "query_of"}
# Who reads the query string: lists, single ones as their lists show them, and what has parameters of its own.
READS_QUERY = {"listing", "item_of", "query"}


def refuse_nobody(scope: Scope, *, is_nobody: bool) -> None:
    """Refuse who brings no credentials, but at routes for everybody (``opt["public"]``)."""
    if is_nobody and not scope["route_handler"].opt.get("public"):
        raise Unauthenticated


def refuse_bodies(scope: Scope) -> None:
    """Refuse a body where the handler reads none: whoever sends one expects it to count."""
    if scope.get("method") == HttpMethod.GET:
        return  # what is read most has no body, and no time for this
    handler = scope["route_handler"]
    if "data" in handler.parsed_fn_signature.parameters or READS_BODY & handler.opt.keys():
        return
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    if length.isdigit() and int(length) > EMPTY:
        raise Malformed("This takes no body.")


def refuse_unknown_parameters(scope: Scope) -> None:
    """Refuse a query string where the handler reads none (`READS_QUERY` do)."""
    if b"%00" in scope["raw_path"]:
        raise Malformed("The character U+0000 is not allowed.")
    query, opt = scope["query_string"], scope["route_handler"].opt
    if query and ("query_of" in opt or not READS_QUERY & opt.keys()):
        # Spelt in another way it is none of a preview: caches would not know it.
        read = {PARAMETER} if takes_preview(scope) else set()
        known = {PARAMETER} if can_be_previewed(scope) else set()
        names = dict.fromkeys(name for name, _ in parameters(query)) or {"": None}
        faults = [unknown_parameter(name, known - {name}) for name in names if name not in read]
        if faults:
            raise refusal(Refused(faults))
