"""What bodies are rendered to when they are published: formats, and the table of contents."""

from collections.abc import Mapping
from typing import Any, Literal
from uuid import UUID

import msgspec

# Counts up when bodies come out otherwise; what is live from before can be rendered anew.
RENDERING_VERSION = 4
# Since this one addresses of ours are marked, see `mentions`.
MARKED_SINCE = 3

# The formats of bodies beside HTML, which is what there is without asking.
OtherFormat = Literal["markdown", "text", "blocks"]
BodyFormat = Literal["html", "markdown", "text", "blocks"]
OTHER_FORMATS: tuple[OtherFormat, ...] = ("markdown", "text", "blocks")

# The part of a live copy that is no relation and no column of its own: JSON, by names that last.
PublicFields = Mapping[str, Any]


class Heading(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A heading of a body: the id of its anchor, its level from 1 to 6, its words, and those below it."""

    id: str
    level: int
    text: str
    headings: "tuple[Heading, ...]" = ()


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """What readers get of a body: safe HTML, an excerpt in plain text, minutes of reading.

    ``others`` are the same in other formats: texts, and for ``blocks`` a list of JSON objects.
    """

    body: str
    excerpt: str
    reading_time: int
    toc: tuple[Heading, ...] = ()
    others: Mapping[OtherFormat, Any] = {}


class Public(msgspec.Struct, frozen=True, kw_only=True):
    """What readers get of a content: its fields, and by format those that have a text in them.

    ``seo`` is what `documents.seo` makes of it, ``toc`` its table of contents. ``mentions`` are what
    its rendered texts point at: what only looks like it, in a plain text, is none.
    """

    fields: PublicFields
    seo: PublicFields = {}
    toc: tuple[Heading, ...] = ()
    others: Mapping[OtherFormat, PublicFields] = {}
    mentions: frozenset[UUID] = frozenset()
