"""Redirects: from paths that were to places that are."""

from dataclasses import dataclass
from typing import ClassVar, Literal
from uuid import UUID

from cms_api.domains.cms.redirects.paths import is_address
from cms_api.domains.cms.resources import Resource

Match = Literal["exact", "prefix"]
Status = Literal[301, 302, 307, 308, 410]
GONE = 410


@dataclass(slots=True, eq=False, kw_only=True)
class Redirect(Resource):
    """Where a path leads: to a document, wherever that is; to a path or an address; or nowhere (410).

    One that matches a prefix takes what lies below along. Automatic ones are made when a live path
    changes, and go when something else is published there.
    """

    kind: ClassVar[str] = "redirect"

    locale: str
    match: Match
    source: str
    document_id: UUID | None = None
    target: str | None = None
    status: Status = 301
    is_automatic: bool = False

    @property
    def path(self) -> str | None:
        """The path on this site that it leads to by name, if it does."""
        return None if self.target is None or is_address(self.target) else self.target
