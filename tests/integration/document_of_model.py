"""Prints the OpenAPI document with the types of the model, as a process of its own has it."""

import sys

import msgspec
from tests.integration.site_model import TYPES

from cms_api.adapters.http.openapi import document
from cms_api.app import create_app
from cms_api.domains.cms.content_types.annotations import free_name, pascal
from cms_api.domains.cms.content_types.compiling import Neighbours, compiled
from cms_api.domains.cms.content_types.definition import Definition
from cms_api.domains.cms.entries.described import EntryDescription, described
from cms_api.settings import Settings


def main() -> None:
    """Write it to the standard output."""
    definitions = [msgspec.convert(one, Definition) for one in TYPES]
    neighbours = Neighbours("", {one.key: one for one in definitions})
    taken: set[str] = set()
    types: list[EntryDescription] = []
    for one in definitions:
        name = free_name(pascal(one.key), taken)
        kind = compiled(one, version=1, conversions={}, unready=(), name=name, neighbours=neighbours)
        types.append(described(kind, name))
    app = create_app(Settings(database_url="postgresql://unused", secret_key="-" * 32))
    sys.stdout.buffer.write(msgspec.json.encode(document(app, types)))


if __name__ == "__main__":
    main()
