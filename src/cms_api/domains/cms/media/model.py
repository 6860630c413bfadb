"""Media: files, stored here or known by their address elsewhere."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from cms_api.domains.cms.resources import Resource


@dataclass(slots=True, eq=False, kw_only=True)
class Asset(Resource):
    """A file. ``storage_key`` says where it is stored; without one only ``source_url`` is known."""

    kind: ClassVar[str] = "media"

    filename: str
    title: str = ""
    alt: str = ""
    caption: str = ""
    media_type: str | None = None
    size: int | None = None
    sha256: bytes | None = None
    width: int | None = None
    height: int | None = None
    storage_key: str | None = None
    source_url: str | None = None
    created_by: UUID | None = None
