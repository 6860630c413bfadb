"""Who points at something, and what its deletion would do: the same routes for all that has an id."""

from functools import partial
from uuid import UUID

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from cms_api.adapters.http.cms.documents import ENTRIES, kind_of
from cms_api.adapters.http.lists import list_query, list_response
from cms_api.adapters.http.preconditions import unversioned
from cms_api.adapters.http.requests import ApiRequest
from cms_api.adapters.http.schemas import ListView
from cms_api.domains.cms.api import REFERENCES, DeletionPreview, Reference, ReferenceService


def reference_controller(plural: str, noun: str) -> type[Controller]:
    """The routes of one kind of target, whose key is ``noun``."""
    name, kind = noun.capitalize(), partial(kind_of, noun)

    class ReferenceController(Controller):
        """Referrers."""

        path = f"/{plural}/{{target_id:uuid}}"
        tags = (plural.partition("/")[0],)

        @get(
            "/references",
            operation_id=f"list{name}References",
            summary=f"List what points at a {noun}",
            opt={"listing": REFERENCES},
        )
        async def references(
            self,
            request: ApiRequest,
            target_id: FromPath[UUID],
            references: NamedDependency[ReferenceService],
        ) -> Response[ListView[Reference]]:
            """The links of all documents, the trash included: first those of drafts, then of live copies."""
            query = list_query(request, REFERENCES)
            page = await references.list(request.user, kind(request), target_id, query.request)
            return list_response(request, query, page)

        @get(
            "/deletion",
            operation_id=f"preview{name}Deletion",
            summary=f"See what the deletion of a {noun} would do",
        )
        async def deletion(
            self,
            request: ApiRequest,
            target_id: FromPath[UUID],
            references: NamedDependency[ReferenceService],
        ) -> Response[DeletionPreview]:
            """Who forbids it, who would lose a reference, and who would be deleted along. Nothing changes."""
            preview = await references.preview(request.user, kind(request), target_id)
            return unversioned(request, preview)

    ReferenceController.__name__ = f"{name}ReferenceController"
    return ReferenceController


REFERENCE_ROUTES = [
    reference_controller(plural, noun)
    for plural, noun in (
        ("posts", "post"),
        ("pages", "page"),
        (ENTRIES, "entry"),
        ("media", "media"),
        ("authors", "author"),
        ("categories", "category"),
        ("tags", "tag"),
    )
]
