"""Items of lists, and single ones in management, in the OpenAPI document: whole, or as `fields` and `include` say."""

import copy
from collections.abc import Mapping
from typing import Any

from cms_api.domains.cms.api import AUTHORS, CATEGORIES, MEDIA, PAGES, POSTS, document_kind, free_name
from cms_api.querying import NO_FIELDS, Fields, Listing

REF = "#/components/schemas/"
# What a relation may lead to, as documents of the built-in types and what these point at are described.
DESCRIBED: Mapping[str, tuple[str, Fields]] = {
    "author": ("AuthorView", AUTHORS),
    "category": ("TermView", CATEGORIES),
    "tag": ("TermView", CATEGORIES),
    "media": ("MediaView", MEDIA),
    document_kind("post"): ("PostView", POSTS),
    document_kind("page"): ("PageView", PAGES),
}
WORDS = "What `fields` leaves of it, with what `include` puts in the place of ids."


class Parts:
    """The schemas of items that were cut down, beside those of whole ones."""

    def __init__(self, schemas: dict[str, Any]) -> None:
        self._schemas = schemas
        self.taken = {name.lower() for name in schemas}
        self._named: dict[str, str] = {}
        self._described = dict(DESCRIBED)

    def describe(self, type: str, view: str, listing: Listing) -> None:
        """Say what the documents of a type look like: as the schema that ``view`` refers to."""
        self._described[document_kind(type)] = (view.removeprefix(REF), listing)

    def show(
        self, paths: Mapping[str, Any], listings: Mapping[str, Listing], items: Mapping[str, Listing]
    ) -> None:
        """Let operations say what these allow, by their names: ``listings`` of lists, ``items`` of single ones."""
        for path in paths.values():
            for operation in path.values():
                name = operation["operationId"]
                listing = listings.get(name, items.get(name))
                if listing is None or not listing.shown:
                    continue
                content = operation["responses"]["200"]["content"]["application/json"]
                if name in items:
                    content["schema"] = self.whole_or_part(content["schema"], listing)
                elif "$ref" in content["schema"]:  # else it is a list of any type's entries
                    self.show_in(content["schema"]["$ref"], listing)

    def show_in(self, listed: str, listing: Listing) -> None:
        """Let a list, which ``listed`` refers to, have items as ``listing`` allows."""
        items = self._schemas[listed.removeprefix(REF)]["properties"]["items"]
        whole = items["items"]
        # Else it was seen already, at another operation; or it may be any part of itself.
        if "$ref" in whole and self._schemas[whole["$ref"].removeprefix(REF)].get("required"):
            items["items"] = self.whole_or_part(whole, listing)

    def whole_or_part(self, whole: dict[str, str], listing: Listing) -> dict[str, Any]:
        """An item that ``whole`` refers to, or what is chosen of it as ``listing`` allows."""
        part = self._part(whole["$ref"].removeprefix(REF), listing if listing.expands else NO_FIELDS)
        return {"anyOf": [whole, part]}

    def _part(self, name: str, fields: Fields) -> dict[str, str]:
        """What refers to the schema of a part of what is called ``name``."""
        if name not in self._named:
            self._named[name] = part = free_name(f"{name}Part", self.taken)
            made = copy.deepcopy(self._schemas[name]) | {"title": part, "description": WORDS}
            made.pop("required", None)
            self._schemas[part] = made  # before its relations are: they go round in circles
            # The terms of all taxonomies have one schema, whichever is met first.
            known = next((one for view, one in self._described.values() if view == name), fields)
            self._expand(made["properties"], known)
        return {"$ref": f"{REF}{self._named[name]}"}

    def _expand(self, properties: dict[str, Any], fields: Fields) -> None:
        for name, relation in fields.relations.items():
            held = properties.get(relation.held or name)
            if held is None:
                continue
            if relation.hops:
                known = [self._described[kind] for kind in relation.kinds if kind in self._described]
                targets = {view: self._part(view, its) for view, its in known}
                properties[name] = _expanded(held, [*targets.values()])
            else:
                properties[name] = self._inside(held, relation.fields())

    def _inside(self, held: dict[str, Any], fields: Fields) -> dict[str, Any]:
        """A group, several of them, or blocks, each with what is expanded in it."""
        if "$ref" in held:
            return self._part(held["$ref"].removeprefix(REF), fields)
        # Which block it is need not be told.
        made = {name: one for name, one in held.items() if name != "discriminator"}
        if "items" in made:
            made["items"] = self._inside(made["items"], fields)
        for name in ("anyOf", "oneOf"):
            if name in made:
                made[name] = [self._inside(one, fields) for one in made[name]]
        return made


def _expanded(held: dict[str, Any], targets: list[dict[str, str]]) -> dict[str, Any]:
    """What a relation may be: ids, as it is held, or what they stand for."""
    if held.get("type") == "array":
        return held | {"items": {"anyOf": [held["items"], *targets]}}
    options = next((held[name] for name in ("anyOf", "oneOf") if name in held), [held])
    made = [_expanded(one, targets) if one.get("type") == "array" else one for one in options]
    return {"anyOf": [*made, *targets]}
