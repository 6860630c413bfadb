"""The part of the OpenAPI document that is about types made at run time: exact operations for each."""

import copy
import re
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from litestar.handlers import HTTPRouteHandler
from msgspec import Meta

from cms_api.adapters.http.body import JSON_PATCH
from cms_api.adapters.http.described_lists import (
    filter_schemas,
    item_parameters,
    list_parameters,
    query_body,
)
from cms_api.adapters.http.listed_items import Parts
from cms_api.adapters.http.schemas import DeliveredList, ListView
from cms_api.domains.cms.api import EntryDescription, PatchOperation, free_name

REF = "#/components/schemas/"
GENERIC = re.compile(r"/entries/\{type\}")
Operations = typing.Annotated[list[PatchOperation], Meta(max_length=1_000)]


def expand(
    schema: dict[str, Any],
    types: Sequence[EntryDescription],
    handlers: Mapping[str, HTTPRouteHandler],
    parts: Parts,
) -> None:
    """Put the operations of each type in the place of those that any type has."""
    paths = schema["paths"]
    generic = {path: paths.pop(path) for path in list(paths) if GENERIC.search(path)}
    known = schema["components"]["schemas"]
    schemas, addressed = _Schemas(known, parts.taken), list[dict[str, Any]]()
    named = [(one, schemas.add(one)) for one in types]
    for one, names in named:
        parts.describe(one.key, names["view"]["$ref"], one.listing)
    for one, names in named:
        parts.show_in(names["view_list"]["$ref"], one.listing)
        addressed += [names["delivered"]] if one.has_address else []
        for path, operations in generic.items():
            paths[path.replace("{type}", one.key)] = {
                method: _operation(path, operation, handlers, one, names, known, parts)
                for method, operation in operations.items()
            }
    if addressed:
        known["ResolvedEntry"]["properties"]["document"] = {"anyOf": addressed}
    _prune(schema)


class _Schemas:
    """The document's schemas, and what those of types are called among them."""

    def __init__(self, known: dict[str, Any], taken: set[str]) -> None:
        self._known = known
        self._system: dict[str, Any] = known["EntryView"]["properties"]
        self._taken = taken
        taken.update(name.lower() for name in known)

    def add(self, one: EntryDescription) -> dict[str, dict[str, Any]]:
        """Add a type's; what refers to each of them, by what it is for."""
        lists = {
            f"{face}_list": msgspec.defstruct(
                f"{item.__name__}List",
                [("items", list[item])],  # type: ignore[valid-type]  # a class that is a value
                bases=(base,),
                namespace={"__doc__": "A page of a list."},
                module=item.__module__,
                frozen=True,
                kw_only=True,
                omit_defaults=True,
            )
            for face, item, base in (
                ("view", one.view, ListView),
                ("delivered", one.delivered, DeliveredList if one.public_listing.is_searchable else ListView),
            )
        }
        faces: dict[str, Any] = {
            "new": one.new,
            "patch": one.patch,
            "view": one.view,
            "delivered": one.delivered,
            **lists,
            "operations": Operations,
        }
        for struct in _own([*faces.values()], one.view.__module__):
            struct.__name__ = free_name(struct.__name__, self._taken)
        described, components = msgspec.json.schema_components(faces.values(), ref_template=REF + "{name}")
        _mend(components, self._system)
        # Those that are there already are the framework's, which says more of moments.
        self._known.update({name: one for name, one in components.items() if name not in self._known})
        return dict(zip(faces, described, strict=True))


def _own(kinds: Iterable[Any], module: str) -> list[type[msgspec.Struct]]:
    """The structs that were made at run time among ``kinds``, and inside of them, each of them once."""
    found: dict[type[msgspec.Struct], None] = {}

    def look(kind: Any) -> None:
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            if kind.__module__ == module and kind not in found:
                found[kind] = None
                for field in msgspec.structs.fields(kind):
                    look(field.type)
            return
        for part in typing.get_args(kind):
            look(part)

    for kind in kinds:
        look(kind)
    return list(found)


def _mend(components: dict[str, Any], system: Mapping[str, Any]) -> None:
    """Say what clients are made by and the structs' own description leaves out."""
    for component in components.values():
        properties: dict[str, Any] = component.get("properties", {})
        if system.keys() <= properties.keys():
            properties.update(system)
        for one in properties.values():
            # Left out or null, it is the same; as a default it would make generators demand it.
            if one.get("default", ...) is None:
                del one["default"]
    for one in _objects(components):
        options = one.get("enum")
        if isinstance(options, list) and "type" not in one and all(isinstance(each, str) for each in options):
            one["type"] = "string"


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for one in value.values():
            yield from _objects(one)
    elif isinstance(value, list):
        for one in value:
            yield from _objects(one)


def _operation(
    path: str,
    generic: dict[str, Any],
    handlers: Mapping[str, HTTPRouteHandler],
    one: EntryDescription,
    names: Mapping[str, dict[str, Any]],
    filters: dict[str, Any],
    parts: Parts,
) -> dict[str, Any]:
    """An operation as it is for one type."""
    opt = handlers[generic["operationId"]].opt
    made = copy.deepcopy(generic)
    given = str(generic["operationId"])
    called = re.sub(r"Entr(?=y|ies)", lambda found: one.name + found[0], given, count=1)
    made["operationId"] = called if called != given else f"{given}{one.name}"
    made["summary"] = f"{made['summary']} of “{one.title}”"
    made["parameters"] = [p for p in made.get("parameters", ()) if (p["in"], p["name"]) != ("path", "type")]
    role, face = opt.get("entries"), "delivered" if opt.get("entries") == "delivered" else "view"
    if role in ("list", "delivered") and "listing" in opt:
        listing = one.listing if role == "list" else one.public_listing
        if "query_of" in opt:
            filters.update(filter_schemas({made["operationId"]: listing}))
            made["requestBody"] = query_body(listing, made["operationId"])
        own = [] if "query_of" in opt else list_parameters(listing)
        made["parameters"] = _exchanged(made["parameters"], list_parameters(opt["listing"]), own)
    if role == "item":
        own = item_parameters(one.listing)
        made["parameters"] = _exchanged(made["parameters"], item_parameters(opt["item_of"]), own)
        shown = parts.whole_or_part(names["view"], one.listing)
        made["responses"]["200"]["content"] = {"application/json": {"schema": shown}}
    _take(made, role, one, names)
    replaced = {f"{REF}EntryView": names["view"]["$ref"], f"{REF}EntryViewList": names["view_list"]["$ref"]}
    for found in _objects(made["responses"]):
        if found.get("$ref") in replaced:
            found["$ref"] = replaced[found["$ref"]]
    if face == "delivered":
        success = next(status for status in made["responses"] if status.startswith("2"))
        shown = names["delivered_list"] if "listing" in opt else names["delivered"]
        made["responses"][success]["content"] = {"application/json": {"schema": shown}}
    if "{" not in path.replace("{type}", ""):
        made["responses"].pop("404", None)
    return made


def _take(
    made: dict[str, Any], role: str | None, one: EntryDescription, names: Mapping[str, dict[str, Any]]
) -> None:
    """Say what an operation that writes takes."""
    if role == "new":
        content = made["requestBody"]["content"]["application/json"] = {"schema": names["new"]}
        if one.example is not None:
            content["example"] = one.example
    if role == "patch":
        change = {"schema": names["patch"], "example": one.change}
        operations = [{"op": "replace", "path": f"/{key}", "value": new} for key, new in one.change.items()]
        made["requestBody"]["content"] = {
            "application/json": change,
            "application/merge-patch+json": change,
            JSON_PATCH: {"schema": names["operations"], "example": operations},
        }


def _exchanged(
    parameters: list[dict[str, Any]], generic: list[dict[str, Any]], own: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The parameters with those of one type in the place of those that any type has."""
    names = {parameter["name"] for parameter in generic}
    return [*(one for one in parameters if one["name"] not in names), *own]


def _prune(schema: dict[str, Any]) -> None:
    """Leave the schemas out that nothing refers to any more."""
    known = schema["components"]["schemas"]
    wanted: set[str] = set()
    waiting: list[Any] = [schema["paths"], schema["components"]["responses"]]
    while waiting:
        refs = (one.get("$ref") for one in _objects(waiting.pop()))
        names = {ref.removeprefix(REF) for ref in refs if isinstance(ref, str) and ref.startswith(REF)}
        waiting += [known[name] for name in names - wanted]
        wanted |= names
    schema["components"]["schemas"] = {name: one for name, one in known.items() if name in wanted}
