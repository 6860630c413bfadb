"""What operations answer beside the body of a success, for the OpenAPI document: headers, 304 and problems."""

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar.handlers import HTTPRouteHandler

# What all answers have.
ALWAYS = {
    "X-Request-Id": "Stands in the log as well.",
    "Server-Timing": "What it took, in milliseconds; or that it was kept (W3C Server Timing).",
}
# Of these, those that an operation's answers have.
HEADERS = {
    "ETag": "The version, or what tells these bytes from others.",
    "Location": "Where it is.",
    "Link": "The pages before and behind (RFC 8288).",
    "Cache-Control": "Who may keep it, and for how long.",
    "Vary": "What of a request the answer depends on.",
    "Cache-Tag": "Comma-separated keys of what it is made of, for caches that are told what changed.",
    "Last-Modified": "When it changed last; left out where one moment does not cover all of it.",
    "Accept-Ranges": "What a range may be of: `bytes`.",
    "Content-Range": "Which bytes these are, and of how many.",
}
VALIDATORS = ("ETag", "Cache-Control")
FILE = {"*/*": {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}}
DELIVERED = (*VALIDATORS, "Vary")


def takes_preview(method: str, opt: Mapping[str, Any]) -> bool:
    """Whether what would be can be shown in the place of what is."""
    return bool(opt.get("previews")) and (method == "get" or "query_of" in opt)


def redirections() -> dict[str, Any]:
    """What is answered to who has the version already, and where something is elsewhere, by name."""
    words = "You have this version already."
    return {
        "Unchanged": {"description": words, "headers": _described((*VALIDATORS, "Link"))},
        "UnchangedDelivery": {
            "description": words,
            "headers": _described((*DELIVERED, "Last-Modified", "Link")),
        },
        "Moved": {
            "description": "It is elsewhere from now on.",
            "headers": _described(("Location", "Cache-Control", "Vary", "Cache-Tag")),
        },
    }


def complete_responses(method: str, operation: dict[str, Any], handler: HTTPRouteHandler) -> None:
    """Add what may come back beside success."""
    responses, opt = operation["responses"], handler.opt
    names = set(handler.parsed_fn_signature.parameters)
    responses.pop("400", None)
    success = next(status for status in responses if status.startswith("2"))
    if stream := opt.get("stream"):
        (media_type,) = responses[success]["content"]
        content = {media_type: {"schema": stream["schema"], "example": stream["example"]}}
        responses[success] = {"description": stream["description"], "content": content}
    elif "document" in opt:
        responses[success] = {"description": "The document.", "content": _written(responses[success], opt)}
    elif opt.get("is_file"):
        responses[success] = {"description": "The file.", "content": FILE}
    is_delivered = _is_delivered(method, operation, opt)
    # Where the version does not cover all of an answer, that is sent to who has the version, too.
    is_tagged = is_delivered or (_is_tagged(method, operation, opt) and opt.get("whole", True))
    if method == "get" and is_tagged:
        name = "UnchangedDelivery" if is_delivered else "Unchanged"
        responses["304"] = {"$ref": f"#/components/responses/{name}"}
    if opt.get("moves"):
        responses["301"] = {"$ref": "#/components/responses/Moved"}
    told = _headers(method, success, operation, opt, names)
    responses[success]["headers"] = _described(told) | responses[success].get("headers", {})
    if opt.get("is_file"):
        part = {"description": "The range of it that was asked for.", "content": FILE}
        responses["206"] = part | {"headers": _described((*told, "Content-Range"))}
    for code in sorted(_problems(method, operation, opt, names)):
        responses[code] = {"$ref": f"#/components/responses/Problem{code}"}


def _written(response: Mapping[str, Any], opt: Mapping[str, Any]) -> dict[str, Any]:
    """The content of an answer that is no plain JSON: what it is as JSON where that is told, else a text."""
    written = opt["document"]
    if "answers" not in opt:
        return {written["media_type"]: {"schema": {"type": "string"}, "example": written["example"]}}
    (content,) = response["content"].values()
    example = msgspec.json.decode(written["example"])
    return {written["media_type"]: {"schema": content["schema"], "example": example}}


def _is_delivered(method: str, operation: Mapping[str, Any], opt: Mapping[str, Any]) -> bool:
    """Whether the answer is one for everybody, with what caches go by."""
    is_public = opt.get("previews") or "feeds" in (operation.get("tags") or ())
    return bool(is_public) and (method == "get" or "query_of" in opt) and _has_tag(opt)


def _is_tagged(method: str, operation: Mapping[str, Any], opt: Mapping[str, Any]) -> bool:
    """Whether the answer has a version of its own, or a tag of what it says."""
    return (method == "get" or "query_of" in opt) and _has_tag(opt) and operation.get("tags") != ["system"]


def _has_tag(opt: Mapping[str, Any]) -> bool:
    return "stream" not in opt and bool(opt.get("tagged", True))


def _described(names: tuple[str, ...]) -> dict[str, Any]:
    """The headers that every answer has, and those with ``names``."""
    told = ALWAYS | {name: HEADERS[name] for name in names}
    return {name: {"description": words, "schema": {"type": "string"}} for name, words in told.items()}


def _headers(
    method: str, success: str, operation: Mapping[str, Any], opt: Mapping[str, Any], names: set[str]
) -> tuple[str, ...]:
    """The names of the headers that a success has besides those of every answer."""
    found: list[str] = []
    if _is_delivered(method, operation, opt):
        found += (*DELIVERED, "Cache-Tag")
        if "listing" not in opt and opt.get("dated", True):
            found.append("Last-Modified")
    elif _is_tagged(method, operation, opt) or (
        ("if_match" in names or success in ("201", "202")) and success != "204"
    ):
        found += VALIDATORS if _has_tag(opt) else ("Cache-Control",)
    elif method == "get" or "query_of" in opt:
        found.append("Cache-Control")
    if opt.get("is_file"):
        found += ("Accept-Ranges", "Last-Modified")
    if success in ("201", "202"):
        found.append("Location")
    if "listing" in opt and "query_of" not in opt:
        found.append("Link")
    return tuple(found)


def _problems(method: str, operation: Mapping[str, Any], opt: Mapping[str, Any], names: set[str]) -> set[str]:
    """The statuses of the problems that an operation may answer with."""
    # Wrong credentials are refused where none are asked for, too.
    statuses = {"400", "401", "500", "503"}
    if not opt.get("public") or "data" in names or takes_preview(method, opt):
        statuses.add("403")
    if any(parameter["in"] == "path" for parameter in operation["parameters"]):
        statuses.add("404")
    if "data" in names or opt.get("multipart"):
        statuses |= {"409", "413", "415", "422"}
    if "query_of" in opt:
        statuses |= {"413", "415"}
    if opt.get("is_file"):
        statuses |= {"412", "416"}
    if opt.get("conflicts"):
        statuses.add("409")
    if "if_match" in names:
        statuses |= {"409", "412", "428"}
    return statuses | set(opt.get("problems", ()))
