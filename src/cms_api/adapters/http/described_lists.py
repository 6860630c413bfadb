"""What lists take, for the OpenAPI document: parameters of query strings, and schemas of bodies."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import Any

from cms_api.querying import DEFAULT_LIMIT, LOGIC, MAX_LIMIT, OPERATORS, Fields, FieldType, Listing
from cms_api.querying.listings import sort_paths
from cms_api.querying.parsing import FORMATS, MAX_SEARCH

REF = "#/components/schemas/"
SCHEMA_TYPES: dict[FieldType, dict[str, Any]] = {
    "text": {"type": "string"},
    "uuid": {"type": "string", "format": "uuid"},
    "timestamptz": {"type": "string", "format": "date-time"},
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
}
EXAMPLES: dict[FieldType, Any] = {
    "text": {"starts_with": "a"},
    "uuid": {"exists": True},
    "timestamptz": {"gte": "2026-01-01T00:00:00Z"},
    "boolean": True,
    "integer": {"gte": 1},
    "number": {"gte": 1},
    "date": {"gte": "2026-01-01"},
    "datetime": {"gte": "2026-01-01T00:00:00Z"},
}
SEARCH = {"type": "string", "maxLength": MAX_SEARCH}
SEARCHED = 'Words to search for: all of them, `"in this order"`, `one or the other`, `-without`.'
RANKED = "The best match comes first where no `sort` is given."
BEGUN = "Each word may be the beginning of one."
LIMIT = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT}
FORMAT = {"type": "string", "enum": list(FORMATS), "default": "html"}
# Orders beyond that many are taken, but not told one by one.
MAX_ORDERS = 100
# What is asked of what a relation leads to; all operators are taken there, too.
RELATED_OPERATORS = ("eq", "in")


def _parameter(name: str, description: str, schema: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": dict(schema),
        **more,
    }


def _listed(name: str, description: str, options: Mapping[str, list[str]]) -> dict[str, Any]:
    schema = {"type": "array", "items": {"type": "string", **options}}
    return _parameter(name, description, schema, style="form", explode=False)


def _signs(names: Iterable[str]) -> list[str]:
    return [f"{sign}{name}" for name in names for sign in ("", "-")]


def _sort(name: str, description: str, fields: Fields) -> dict[str, Any] | None:
    """The parameter for an order; None where there is nothing to choose from."""
    # Through relations, types that point at many others have more of them than a document should hold.
    names = list(islice(sort_paths(fields), MAX_ORDERS + 1))
    if not names:
        return None
    if len(names) <= MAX_ORDERS:
        return _listed(name, description, {"enum": _signs(names)})
    words = f"{description} Paths lead through relations to one, three at most."
    return _listed(name, words, {"examples": _signs(fields.sorts or names[:1])})


def format_parameter() -> dict[str, Any]:
    """The parameter for the format of texts."""
    return _parameter("format", "The format of texts.", FORMAT)


def _related(listing: Listing) -> dict[str, FieldType]:
    """What relations lead to, one step away."""
    return {
        f"{head}.{name}": kind
        for head, relation in listing.relations.items()
        for name, kind in relation.fields().filters.items()
    }


def list_parameters(listing: Listing) -> list[dict[str, Any]]:
    """The parameters of a list, those of relations for one step."""
    default = ",".join(("-" if key.descending else "") + key.field for key in listing.sort)
    found = [
        _parameter("limit", "How many.", {**LIMIT, "default": DEFAULT_LIMIT}),
        _parameter("after", "The cursor `page.next` of the page before.", {"type": "string"}),
        _parameter("before", "The cursor `page.prev` of the page behind.", {"type": "string"}),
        _parameter(
            "count",
            "`exact` adds the number of all, `estimate` what the database expects it to be.",
            {"type": "string", "enum": ["none", "estimate", "exact"]},
        ),
    ]
    if listing.is_searchable:
        found.append(
            _parameter("q", f"{SEARCHED} The best match comes first where no `sort` is given.", SEARCH)
        )
    words = f"Comma-separated; `-` turns a key round. Where not given: `{default}`."
    if (order := _sort("sort", words, listing)) is not None:
        found.append(order)
    found += item_parameters(listing)
    found += [
        one
        for name, kind in listing.filters.items()
        for operator in OPERATORS[kind]
        for one in (_filter(name, operator, kind),)
    ]
    return found + [
        _filter(name, operator, kind)
        for name, kind in _related(listing).items()
        for operator in RELATED_OPERATORS
        if operator in OPERATORS[kind]
    ]


def item_parameters(listing: Listing) -> list[dict[str, Any]]:
    """The parameters that choose what is shown of the items of a list, or of one of them."""
    found: list[dict[str, Any]] = []
    if listing.shown:
        found.append(
            _parameter(
                "fields",
                "Comma-separated fields to keep"
                + ("; `author.name` reaches into an included relation." if listing.expands else "."),
                {"type": "string"},
            )
        )
    if listing.expands:
        found += _includes(listing)
    if listing.has_texts:
        found.append(format_parameter())
    return found


def _includes(listing: Listing) -> list[dict[str, Any]]:
    near = ", ".join(f"`{path}`" for path in _near(listing))
    words = (
        f"Comma-separated relations to expand, and theirs with a dot, three deep at most: {near}. What is"
        " not included is an id."
    )
    found = [_parameter("include", words, {"type": "string"})]
    for name, relation in listing.relations.items():
        if relation.is_many and relation.hops:
            found.append(_parameter(f"include[{name}][limit]", "At most that many of them.", LIMIT))
            order = _sort(f"include[{name}][sort]", "In that order.", relation.fields())
            found += [order] if order is not None else []
    return found


def _near(fields: Fields) -> Iterator[str]:
    """The paths of the relations that lead out of a row, wherever in it they stand."""
    for name, relation in fields.relations.items():
        if relation.hops:
            yield name
        else:
            yield from (f"{name}.{path}" for path in _near(relation.fields()))


def _filter(name: str, operator: str, kind: FieldType) -> dict[str, Any]:
    is_list = operator in ("in", "nin")
    schema: Mapping[str, Any] = {"type": "string"} if is_list else SCHEMA_TYPES[kind]
    return _parameter(
        f"filter[{name}]" + ("" if operator == "eq" else f"[{operator}]"),
        "Comma-separated." if is_list else "",
        {"type": "boolean"} if operator == "exists" else schema,
    )


def _title(operation_id: str) -> str:
    return operation_id[0].upper() + operation_id[1:]


def extra_member(words: str, kind: str | None) -> dict[str, Any]:
    """What a body says in the place of a list's own parameter: the same text, or what JSON has for its ``kind``."""
    text: dict[str, Any] = {"type": "string"}
    native = {"boolean": {"type": "boolean"}, "names": {"type": "array", "items": text}}
    schema = text if kind is None else {"oneOf": [native[kind], text]}
    return {**schema, "description": words}


def query_body(
    listing: Listing,
    operation_id: str,
    asked: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    required: Sequence[str] = (),
) -> dict[str, Any]:
    """What a list takes as a body. ``asked`` is what it takes besides, ``required`` what it must have."""
    text = {"type": "string"}
    properties: dict[str, Any] = {
        "limit": {**LIMIT, "default": DEFAULT_LIMIT},
        "after": text,
        "before": text,
        "count": {"type": "string", "enum": ["none", "estimate", "exact"]},
    }
    example: dict[str, Any] = {"limit": 10, "count": "estimate"}
    if listing.is_searchable:
        properties["q"] = {**SEARCH, "description": SEARCHED}
        example["q"] = "two words"
    if listing.sorts:
        properties["sort"] = {
            "type": "array",
            "description": "`-` turns a key round; paths lead through relations to one: `author.name`.",
            "items": {"type": "string", "examples": _signs(listing.sorts)},
        }
        example["sort"] = [f"-{listing.sorts[0]}"]
    if listing.filters:
        properties["filter"] = {"$ref": f"{REF}{_title(operation_id)}Filter"}
        name, kind = next(iter(listing.filters.items()))
        example["filter"] = {"or": [{name: EXAMPLES[kind]}, {"not": {name: {"exists": True}}}]}
    if listing.shown:
        properties["fields"] = {"type": "array", "items": {"type": "string", "examples": list(listing.shown)}}
    if listing.expands:
        properties["include"] = _include_schema(listing)
    if listing.has_texts:
        properties["format"] = FORMAT
    properties |= asked
    # Null is another way to say nothing, where something need not be said.
    properties = {
        name: one if name in required else {"oneOf": [one, {"type": "null"}]}
        for name, one in properties.items()
    }
    example |= dict.fromkeys(required, "two words")
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        schema["required"] = list(required)
    return {
        "required": bool(required),
        "content": {"application/json": {"schema": schema, "example": example}},
    }


def _include_schema(listing: Listing) -> dict[str, Any]:
    several = {"type": "array", "items": {"type": "string"}}
    wanted = {
        "type": "object",
        "properties": {"limit": LIMIT, "sort": several, "fields": several, "include": {}},
        "additionalProperties": False,
    }
    return {
        "description": "Paths, or an object with what is wanted of each.",
        "oneOf": [
            several,
            {"type": "object", "additionalProperties": {"oneOf": [{"const": True}, wanted]}},
        ],
        "examples": [list(listing.relations)],
    }


def filter_schemas(listings: Mapping[str, Listing]) -> dict[str, Any]:
    """The schemas of filters by their names; ``listings`` by the operations that take them."""
    found: dict[str, Any] = {
        f"{kind.capitalize()}Comparisons": {
            "type": "object",
            "properties": {
                operator: {"type": "boolean"}
                if operator == "exists"
                else {"type": "array", "items": schema, "minItems": 1, "maxItems": MAX_LIMIT}
                if operator in ("in", "nin")
                else schema
                for operator in OPERATORS[kind]
            },
            "additionalProperties": False,
        }
        for kind, schema in SCHEMA_TYPES.items()
    }
    for operation_id, listing in listings.items():
        if listing.filters:
            found[f"{_title(operation_id)}Filter"] = _filter_schema(listing, f"{_title(operation_id)}Filter")
    return found


def _filter_schema(listing: Listing, name: str) -> dict[str, Any]:
    itself = {"$ref": f"{REF}{name}"}
    fields = {**listing.filters, **_related(listing)}
    properties: dict[str, Any] = {
        field: {"oneOf": [SCHEMA_TYPES[kind], {"$ref": f"{REF}{kind.capitalize()}Comparisons"}]}
        for field, kind in fields.items()
        if field not in LOGIC
    }
    properties["and"] = properties["or"] = {"type": "array", "items": itself, "minItems": 1}
    properties["not"] = itself
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if listing.relations:  # paths that go on
        heads = "|".join(listing.relations)
        schema["patternProperties"] = {rf"^({heads})(\.\w+){{2,}}$": {}}
    return schema
