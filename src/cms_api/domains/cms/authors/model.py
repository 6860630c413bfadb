"""Authors: bylines, each linked to a user or to none."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from cms_api.domains.cms.resources import Resource


@dataclass(slots=True, eq=False, kw_only=True)
class Author(Resource):
    """A byline."""

    kind: ClassVar[str] = "author"

    name: str
    slug: str
    user_id: UUID | None = None
    bio: str = ""
    website: str | None = None
    avatar_id: UUID | None = None
