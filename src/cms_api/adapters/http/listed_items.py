"""Items of lists in management, for the OpenAPI document: whole, or as `fields` and `include` make them."""

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from cms_api.domains.cms.api import free_name
from cms_api.querying import Listing

REF = "#/components/schemas/"
# What stands in the place of an id, by the name of the relation.
RELATED = {
    "author": "AuthorView",
    "authors": "AuthorView",
    "categories": "TermView",
    "tags": "TermView",
    "cover": "MediaView",
}
WORDS = "What `fields` leaves of it, with what `include` puts in the place of ids."


class Parts:
    """The schemas of items that were cut down, beside those of whole ones."""

    def __init__(self, schemas: dict[str, Any]) -> None:
        self._schemas = schemas
        self.taken = {name.lower() for name in schemas}
        self._named: dict[str, str] = {}

    def show(self, paths: Mapping[str, Any], listings: Mapping[str, Listing]) -> None:
        """Let the lists of operations say what ``listings``, by their names, allow."""
        for path in paths.values():
            for operation in path.values():
                listing = listings.get(operation["operationId"])
                if listing is not None and listing.shown:
                    content = operation["responses"]["200"]["content"]["application/json"]
                    self.show_in(content["schema"]["$ref"], listing)

    def show_in(self, listed: str, listing: Listing) -> None:
        """Let a list, which ``listed`` refers to, have items as ``listing`` allows."""
        items = self._schemas[listed.removeprefix(REF)]["properties"]["items"]
        whole = items["items"]
        if "$ref" in whole:  # else it was seen already, at another operation
            relations = listing.expanded().relations if listing.expands else ()
            items["items"] = {"anyOf": [whole, self._part(whole["$ref"].removeprefix(REF), relations)]}

    def _part(self, name: str, relations: Iterable[str] = ()) -> dict[str, str]:
        if name not in self._named:
            self._named[name] = part = free_name(f"{name}Part", self.taken)
            made = copy.deepcopy(self._schemas[name]) | {"title": part, "description": WORDS}
            made.pop("required", None)
            for relation in relations:
                made["properties"][relation] = _expanded(
                    made["properties"][relation], self._part(RELATED[relation])
                )
            self._schemas[part] = made
        return {"$ref": f"{REF}{self._named[name]}"}


def _expanded(held: dict[str, Any], related: dict[str, str]) -> dict[str, Any]:
    """What a relation may be: ids, as it is held, or what they stand for."""
    if held.get("type") == "array":
        return held | {"items": {"anyOf": [held["items"], related]}}
    options = next((held[name] for name in ("anyOf", "oneOf") if name in held), [held])
    return {"anyOf": [*options, related]}
