"""What an entry says: its type's fields, by ids that outlast their names."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any, ClassVar, Self

import msgspec

from cms_api.domains.cms.content_types import shapes
from cms_api.domains.cms.content_types.definition import Definition
from cms_api.domains.cms.content_types.fields import Field
from cms_api.domains.cms.documents.content import Content, Link
from cms_api.domains.cms.entries.texts import texts_of


class EntryContent(Content, frozen=True, kw_only=True):
    """An entry of the type ``definition``. ``fields`` are JSON values; what is null is left out."""

    definition: ClassVar[Definition]

    fields: dict[str, Any]

    @property
    def heading(self) -> str:
        """What it is called in lists, by everybody who may see it."""
        return self._named(self.definition.common_title)

    @property
    def public_heading(self) -> str:
        """What readers know it by."""
        return self._named(self.definition.public_title)

    def _named(self, title: Field | None) -> str:
        return str(self.fields.get(str(title.id)) or self.slug)[:500] if title else self.slug

    def texts(self) -> Iterator[tuple[str, str]]:
        """What editors search."""
        yield "", self.slug
        yield from texts_of(self.definition.fields, self.fields)

    def links(self) -> Iterator[Link]:
        """Everything that it points at."""
        yield from Content.links(self)
        yield from shapes.links_of(self.definition.fields, self.fields)

    def without(self, gone: Collection[Link]) -> Self:
        """The same content without those links."""
        targets = {(link.field, link.target) for link in gone}
        left = {
            str(field.id): shapes.without(field, self.fields.get(str(field.id)), targets)
            for field in self.definition.fields
        }
        kept = {**self.fields, **left}
        bare = Content.without(self, gone)
        return msgspec.structs.replace(bare, fields={k: v for k, v in kept.items() if v is not None})

    def changed(self, before: Self) -> tuple[str, ...]:
        """The fields in which it differs from ``before``, by the names that last."""
        names = dict.fromkeys((*self.fields, *before.fields))
        own = tuple(
            name for name in ("slug", "authors", "seo") if getattr(self, name) != getattr(before, name)
        )
        return own + tuple(name for name in names if self.fields.get(name) != before.fields.get(name))

    def shown(self, fields: Iterable[str]) -> tuple[str, ...]:
        """What clients call those fields."""
        keys = {str(field.id): field.key for field in self.definition.fields}
        return tuple(
            keys.get(name, name) for name in fields if name in keys or name in ("slug", "authors", "seo")
        )

    def told(self) -> dict[str, Any]:
        """All of it as clients see it."""
        own = {
            field.key: shapes.shown(field, self.fields.get(str(field.id))) for field in self.definition.fields
        }
        return {"slug": self.slug, "authors": self.authors, "seo": self.seo, **own}
