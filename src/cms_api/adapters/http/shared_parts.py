"""What operations have in common, said once in the OpenAPI document: parameters and headers that come again."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import msgspec

from cms_api.domains.cms.api import free_name

Place = tuple[Any, int | str, str]
"""A list or object of the document, where in it a part is, and what that is called."""


def share(schema: dict[str, Any]) -> None:
    """Put what comes again among the components, and references in its place.

    Readers of the document look at each part once then, and not again in each of its operations.
    """
    operations = [
        operation
        for path in schema["paths"].values()
        for operation in path.values()
        if isinstance(operation, dict)
    ]
    _replace(schema["components"], "parameters", _parameters(operations))
    responses = [one for operation in operations for one in operation["responses"].values()]
    responses += schema["components"]["responses"].values()
    _replace(schema["components"], "headers", _headers(responses))


def _parameters(operations: Iterable[dict[str, Any]]) -> Iterator[Place]:
    for operation in operations:
        parameters = operation.get("parameters", [])
        for number, parameter in enumerate(parameters):
            yield parameters, number, parameter["name"]


def _headers(responses: Iterable[dict[str, Any]]) -> Iterator[Place]:
    for response in responses:
        headers = response.get("headers", {})
        for name in headers:
            yield headers, name, name


def _replace(components: dict[str, Any], kind: Literal["parameters", "headers"], of: Iterable[Place]) -> None:
    places = [(holder, key, name, msgspec.json.encode(holder[key])) for holder, key, name in of]
    again = Counter(said for *_, said in places)
    named: dict[bytes, str] = {}
    taken: set[str] = set()
    for holder, key, name, said in places:
        if again[said] == 1:
            continue
        if said not in named:
            words = re.findall(r"[A-Za-z0-9]+", name)
            named[said] = free_name("".join(word[0].upper() + word[1:] for word in words), taken)
            components.setdefault(kind, {})[named[said]] = holder[key]
        holder[key] = {"$ref": f"#/components/{kind}/{named[said]}"}
