"""Terms: what documents are filed under."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from cms_api.domains.cms.resources import Resource

Taxonomy = Literal["category", "tag"]


@dataclass(slots=True, eq=False, kw_only=True)
class Term(Resource):
    """A category, which may have a parent, or a tag, which has none."""

    taxonomy: Taxonomy
    name: str
    slug: str
    description: str = ""
    parent_id: UUID | None = None

    @property
    def kind(self) -> str:  # type: ignore[override]  # a term's kind is its taxonomy
        """The taxonomy."""
        return self.taxonomy
