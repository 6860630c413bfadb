"""The OpenAPI 3.1 document: what the framework derives, and what only we know."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from litestar import Litestar, Router
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, License, SecurityScheme, Tag
from litestar.routes import BaseRoute
from litestar.types import ControllerRouterHandler

from cms_api.adapters.http.described_answers import complete_responses, redirections, takes_preview
from cms_api.adapters.http.described_lists import (
    extra_member,
    filter_schemas,
    format_parameter,
    item_parameters,
    list_parameters,
    query_body,
)
from cms_api.adapters.http.listed_items import Parts
from cms_api.adapters.http.problems import MEDIA_TYPE, Problem
from cms_api.adapters.http.shared_parts import share
from cms_api.adapters.http.typed import expand
from cms_api.domains.cms.api import DocumentTypes, EntryDescription

TAGS = {
    "auth": "Signing in and out.",
    "users": "Users, roles and permissions.",
    "posts": "Posts, with their drafts.",
    "pages": "Pages, in a tree, with their drafts.",
    "content-types": "What entries are made of.",
    "entries": "Documents of the types that were made at run time.",
    "batch": "Many operations in one request.",
    "retention": "How long old revisions and the trash are kept.",
    "locks": "Who is editing a document, and who is looking at it.",
    "comments": "What editors say to one another about documents.",
    "reader-comments": "What readers say below what is published, and who lets it through.",
    "schedules": "What is to be published and unpublished, and when.",
    "workflows": "Stages on the way to readers, and who may move what.",
    "tasks": "What waits for whom.",
    "authors": "Bylines.",
    "categories": "The tree of categories.",
    "tags": "Tags.",
    "media": "Files.",
    "redirects": "Where paths lead that were.",
    "menus": "Menus, with nested items that point at documents, terms and addresses.",
    "settings": "The settings of the site.",
    "jobs": "Work that goes on after the request that asked for it.",
    "previews": "How the site would look with drafts on it.",
    "purges": "What caches in front of delivery must drop.",
    "feeds": "Feeds of published posts, maps of the site, and what robots may fetch.",
    "delivery": "Published content, for everybody, cacheable.",
    "system": "How the service is.",
}
STATUS_WORDS = {
    "400": "The request can't be read, or names something unknown.",
    "401": "No credentials, or wrong ones.",
    "403": "Known, but not allowed.",
    "404": "Absent, or not yours to know of.",
    "409": "Something else stands in the way.",
    "410": "Too old to go on from: start anew.",
    "412": "Changed since you read it.",
    "413": "Too many bytes.",
    "415": "A media type that is not taken.",
    "416": "A range that there is not; see Content-Range.",
    "422": "Well-formed, but breaks a rule.",
    "428": "If-Match is missing.",
    "429": "Too many requests; see Retry-After.",
    "500": "Something went wrong here.",
    "503": "Not available at the moment; see Retry-After.",
}
MULTIPART = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "additionalProperties": False,
                "properties": {
                    "file": {"type": "string", "contentMediaType": "application/octet-stream"},
                    "title": {"type": "string", "maxLength": 500},
                    "alt": {"type": "string", "maxLength": 2000},
                    "caption": {"type": "string", "maxLength": 2000},
                },
            }
        }
    },
}


# openapi-python-client needs an optional parameter where a body may be of several media types: without
# one, what it generates lacks an import.
REQUEST_ID = {
    "name": "X-Request-Id",
    "in": "header",
    "required": False,
    "description": "Stands in the log and in the answer; one is made where none is given.",
    "schema": {"type": "string"},
}
PREVIEW = (
    ("query", "preview", "The token of a preview: the answer is what would be, and nobody may keep it."),
    ("header", "Preview-Token", "The same as `preview`; one of both may be given."),
)


class _Nowhere(Router):
    """Takes the routes that the framework would serve its own document and pages at, and drops them."""

    def register(self, value: ControllerRouterHandler) -> list[BaseRoute]:
        del value
        return []


def config(version: str) -> OpenAPIConfig:
    """What the framework is told; it serves nothing of its own."""
    return OpenAPIConfig(
        title="CMS API",
        version=version,
        description="A headless CMS: management under `/api/v1`, delivery under `/api/v1/content`.",
        license=License(name="MIT", identifier="MIT"),
        tags=[Tag(name=name, description=text) for name, text in TAGS.items()],
        use_handler_docstrings=True,
        components=Components(
            security_schemes={
                "bearer": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT"),
            }
        ),
        openapi_router=_Nowhere("/", route_handlers=[]),
    )


class Document:
    """The document as bytes, made anew only where types have changed since."""

    def __init__(self) -> None:
        self._bytes = b""
        self._of: str | None = None

    async def __call__(self, app: Litestar, types: DocumentTypes) -> bytes:
        """The document of ``app`` with the types that there are at this moment."""
        # Asked for first: a type that changes in between is then seen at the next request.
        now = await types.fingerprint()
        if now != self._of:
            self._bytes = msgspec.json.encode(document(app, await types.described()))
            self._of = now
        return self._bytes


def document(app: Litestar, types: Sequence[EntryDescription] | None = None) -> dict[str, Any]:
    """The OpenAPI document of ``app``, as JSON values.

    With ``types``, the operations on entries are those of each type; without, those that any type has.
    """
    schema: dict[str, Any] = app.openapi_schema.to_schema()
    schema["openapi"] = "3.1.0"
    # The framework holds paths in sets: without an order of ours, each process would answer other bytes.
    schema["paths"] = dict(sorted(schema["paths"].items()))
    handlers = _handlers(app)
    (problem,), defs = msgspec.json.schema_components([Problem], ref_template="#/components/schemas/{name}")
    del problem
    defs["Problem"]["additionalProperties"] = True
    schema["components"].setdefault("schemas", {}).update(defs)
    schema["components"]["responses"] = redirections() | {
        f"Problem{status}": {
            "description": words,
            "content": {
                MEDIA_TYPE: {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "example": _example(int(status), words),
                }
            },
        }
        for status, words in STATUS_WORDS.items()
    }
    ours = [
        handler.opt[name]
        for handler in handlers.values()
        for name in ("answers", "takes")
        if name in handler.opt
    ]
    described, definitions = msgspec.json.schema_components(ours, ref_template="#/components/schemas/{name}")
    for definition in definitions.values():
        for name, one in definition.get("properties", {}).items():
            if name.endswith("_at") and one == {"type": "string"}:
                one["format"] = "date-time"
    schema["components"]["schemas"].update(definitions)
    schemas = {id(one): found for one, found in zip(ours, described, strict=True)}
    operations = {
        operation["operationId"]: (method, operation)
        for path in schema["paths"].values()
        for method, operation in path.items()
        if isinstance(operation, dict) and "operationId" in operation
    }
    handlers = {name: handler for name, handler in handlers.items() if name in operations}
    for name, handler in handlers.items():
        method, operation = operations[name]
        if (answer := handler.opt.get("answers")) is not None:
            success = next(one for one in operation["responses"] if one.startswith("2"))
            operation["responses"][success]["content"] = {"application/json": {"schema": schemas[id(answer)]}}
        if (taken := handler.opt.get("takes")) is not None:
            operation["requestBody"]["content"] = {"application/json": {"schema": schemas[id(taken)]}}
        _complete(method, operation, handler)
    schema = _with_plain_names(schema)
    parts = Parts(schema["components"]["schemas"])
    listed = {name: handler.opt for name, handler in handlers.items() if "listing" in handler.opt}
    listings = {name: opt["listing"] for name, opt in listed.items()}
    items = {name: one.opt["item_of"] for name, one in handlers.items() if "item_of" in one.opt}
    parts.show(schema["paths"], listings, items)
    asked_by_bodies = {name: opt["listing"] for name, opt in listed.items() if "query_of" in opt}
    schema["components"]["schemas"].update(filter_schemas(asked_by_bodies))
    if types is not None:
        expand(schema, types, handlers, parts)
        schema["paths"] = dict(sorted(schema["paths"].items()))
    share(schema)
    return schema


def _handlers(app: Litestar) -> dict[str, HTTPRouteHandler]:
    """The handlers by the names of their operations, in the order of their paths."""
    return {
        str(handler.operation_id): handler
        for route in sorted(app.routes, key=lambda route: route.path)
        for handler in getattr(route, "route_handlers", ())
        if isinstance(handler, HTTPRouteHandler)
    }


def _with_plain_names(schema: dict[str, Any]) -> dict[str, Any]:
    """Call the list of a schema by that schema's name, not by where its class is defined."""
    text = msgspec.json.encode(schema).decode()
    named: dict[str, Any] = msgspec.json.decode(
        re.sub(r"(?:ListView|DeliveredList)_(?:[a-z_]+\.)*(\w+?)_(?=\")", r"\1List", text)
    )
    return named


def _complete(method: str, operation: dict[str, Any], handler: HTTPRouteHandler) -> None:
    """Add what the signature of a handler does not say."""
    opt, names = handler.opt, set(handler.parsed_fn_signature.parameters)
    parameters: list[dict[str, Any]] = operation.setdefault("parameters", [])
    parameters[:] = [p for p in parameters if p["name"] != "if_match"]
    if not opt.get("public"):
        operation["security"] = [{"bearer": []}]
    if "data" in names:
        _complete_body(method, operation, opt)
        if handler.parsed_fn_signature.parameters["data"].has_default:
            operation["requestBody"]["required"] = False
            for content in operation["requestBody"]["content"].values():
                # Who has nothing to say leaves the body out; generated clients can't where null is another way.
                options = [one for one in content["schema"].get("oneOf", ()) if one != {"type": "null"}]
                if len(options) == 1:
                    (content["schema"],) = options
    if opt.get("multipart"):
        operation["requestBody"] = MULTIPART
    if "if_match" in names:
        parameters.append(
            {
                "name": "If-Match",
                "in": "header",
                "required": True,
                "description": "The ETag that you read, or `*`.",
                "schema": {"type": "string"},
                "example": '"v3"',
            }
        )
    if "query_of" in opt:
        operation["requestBody"] = query_body(
            opt["listing"],
            str(handler.operation_id),
            {name: extra_member(text, opt.get("kinds", {}).get(name)) for name, text in opt["asked"].items()},
            opt.get("required", ()),
        )
    elif "listing" in opt:
        parameters += list_parameters(opt["listing"])
    parameters += _named(method, opt)
    complete_responses(method, operation, handler)
    parameters.append(dict(REQUEST_ID))


def _named(method: str, opt: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The parameters that a handler reads which is of no list."""
    if "item_of" in opt:
        yield from item_parameters(opt["item_of"])
    for name, text in opt.get("query", {}).items():
        told = format_parameter() if name == "format" else _text("query", name, text)
        yield told | {"required": name in opt.get("required", ())}
    for name, text in opt.get("headers", {}).items():
        yield _text("header", name, text)
    if takes_preview(method, opt):
        yield from (_text(*one) for one in PREVIEW)


def _text(place: str, name: str, description: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": place,
        "required": False,
        "description": description,
        "schema": {"type": "string"},
    }


def _complete_body(method: str, operation: dict[str, Any], opt: dict[str, Any]) -> None:
    """Add the other media type that a PATCH takes, and an example."""
    body = operation.get("requestBody", {}).get("content", {})
    if method == "patch" and "application/json" in body:
        body["application/merge-patch+json"] = body["application/json"]
    if example := opt.get("example"):
        for content in body.values():
            content["example"] = example


def _example(status: int, words: str) -> dict[str, Any]:
    return {
        "type": "/problems#code",
        "title": words.rstrip("."),
        "status": status,
        "detail": words,
        "instance": "/api/v1/posts",
        "code": "code",
        "request_id": "01936f2ad1c87b6e9c1f3a5b7d9e0f12",
    }
