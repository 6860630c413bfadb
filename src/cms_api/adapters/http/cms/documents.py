"""Posts and pages: the same routes, made once for each type."""

from collections.abc import Callable
from functools import partial
from inspect import Parameter, Signature
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody

from cms_api.adapters.http.cms.schemas import NewPage, NewPost, PagePatch, PostPatch, into
from cms_api.adapters.http.items import item_query, item_response
from cms_api.adapters.http.lists import list_query, list_response
from cms_api.adapters.http.preconditions import resource
from cms_api.adapters.http.requests import ApiRequest
from cms_api.adapters.http.schemas import ListView, Wire
from cms_api.domains.cms.api import (
    PAGES,
    POSTS,
    DocumentTypes,
    EntryService,
    PageChanges,
    PageService,
    PageView,
    PostChanges,
    PostService,
    PostView,
    RelatedService,
    is_whole,
)
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Listing


class Publication(Wire, frozen=True, kw_only=True):
    """What is to be published; the draft where nothing is named."""

    revision_id: UUID | None = None


ENTRIES = "entries/{type:str}"


def documents_alias(name: str, service: type[Any]) -> Provide:
    """The service that the application knows as ``name``, under the name that the routes below share."""
    if name == ENTRIES:
        return Provide(_entries)

    def documents(**services: Any) -> Any:
        return services[name]

    documents.__signature__ = Signature(
        [Parameter(name, Parameter.KEYWORD_ONLY, annotation=NamedDependency[service])],
        return_annotation=service,
    )
    documents.__annotations__ = {name: NamedDependency[service], "return": service}
    return Provide(documents, sync_to_thread=False)


async def _entries(request: ApiRequest, types: NamedDependency[DocumentTypes]) -> EntryService:
    return await types.entries(request.path_params["type"])


def kind_of(noun: str, request: ApiRequest) -> str:
    """The key of the content type that is meant: in the path of entries, or the built-in one, ``noun``."""
    return str(request.path_params.get("type", noun))


def base_of(request: ApiRequest, plural: str) -> str:
    """Where the documents of that type are."""
    return plural.replace("{type:str}", str(request.path_params.get("type", "")))


def plural_name(plural: str) -> str:
    """What operations on them are called after."""
    return plural.partition("/")[0].capitalize()


KEY = "/{document_id:uuid}"


def _action(noun: str, service: type[Any], view: type[Any], verb: str, text: str) -> Any:
    """The route of a step in a document's life; ``verb`` is the service's method too."""

    @post(
        f"{KEY}/{verb}",
        operation_id=f"{verb}{noun.capitalize()}",
        summary=f"{verb.capitalize()} a {noun}",
        description=text,
        status_code=200,
    )
    async def handler(
        self: Any,  # noqa: ARG001 - a method, as Litestar wants it
        request: ApiRequest,
        document_id: FromPath[UUID],
        if_match: NamedDependency[int | None],
        documents: NamedDependency[service],
        uow: NamedDependency[UnitOfWork],
    ) -> Response[view]:
        async with uow:
            document = await getattr(documents, verb)(uow, request.user, document_id, expected=if_match)
        return resource(request, document)

    return handler


def document_controller(
    plural: str,
    noun: str,
    *,
    service: type[Any],
    view: type[Any],
    new: Any,
    changed: Any,
    changes: Callable[[Any], tuple[Any, str | None]],
    listing: Listing,
    example: dict[str, Any],
    better: dict[str, Any],
) -> type[Controller]:
    """The management routes of a content type. ``service`` is its interface.

    ``changes`` is what the service takes for what clients send.
    """
    Service = NamedDependency[service]  # noqa: N806 - an annotation
    View = Response[view]  # noqa: N806
    ListOf = Response[ListView[view]]  # noqa: N806
    action = partial(_action, noun, service, view)
    name = noun.capitalize()

    class DocumentController(Controller):
        """Drafting, publishing and discarding."""

        path = f"/{plural}"
        tags = (plural.partition("/")[0],)
        dependencies = {"documents": documents_alias(plural, service)}  # noqa: RUF012 - Litestar's own idiom

        @post(
            "/",
            operation_id=f"create{name}",
            summary=f"Begin a {noun}",
            opt={"example": example, "entries": "new"},
        )
        async def create(
            self,
            request: ApiRequest,
            data: JSONBody[new],
            documents: Service,
            uow: NamedDependency[UnitOfWork],
        ) -> View:
            """Begin a draft. The slug is made of the title where none is given."""
            wanted, locale = changes(data)
            async with uow:
                document = await documents.create(uow, request.user, wanted, locale=locale)
            return resource(
                request, document, status=201, location=f"/api/v1/{base_of(request, plural)}/{document.id}"
            )

        @get(
            "/",
            operation_id=f"list{plural_name(plural)}",
            summary=f"List {plural.partition('/')[0]}",
            opt={"listing": listing, "entries": "list"},
        )
        async def list_documents(
            self, request: ApiRequest, documents: Service, related: NamedDependency[RelatedService]
        ) -> ListOf:
            """Documents with their drafts. Those in the trash come with `filter[trashed]=true`."""
            query = list_query(request, documents.listing)
            page = await documents.list(request.user, query.request)
            page = await related.within(request.user, page, documents.listing, query.selection)
            return list_response(request, query, page)

        @get(
            KEY,
            operation_id=f"get{name}",
            summary=f"Read a {noun}",
            opt={"item_of": listing, "entries": "item"},
        )
        async def get(
            self,
            request: ApiRequest,
            document_id: FromPath[UUID],
            documents: Service,
            related: NamedDependency[RelatedService],
        ) -> View:
            """One document with its draft, from the trash as well."""
            wanted = item_query(request, documents.listing)
            document = await documents.get(request.user, document_id)
            shown = await related.of(request.user, document, documents.listing, wanted)
            return item_response(
                request, document, shown, documents.listing, wanted, is_whole=is_whole(document)
            )

        @patch(
            KEY,
            operation_id=f"update{name}",
            summary=f"Change a {noun}'s draft",
            opt={"example": better, "entries": "patch", "json_patch": plural == ENTRIES},
        )
        async def update(
            self,
            request: ApiRequest,
            document_id: FromPath[UUID],
            data: JSONBody[changed],
            if_match: NamedDependency[int | None],
            documents: Service,
            uow: NamedDependency[UnitOfWork],
        ) -> View:
            """Change the draft; readers see nothing of it before it is published."""
            wanted, _ = changes(data)
            async with uow:
                document = await documents.update(uow, request.user, document_id, wanted, expected=if_match)
            return resource(request, document)

        @delete(KEY, operation_id=f"trash{name}", summary=f"Put a {noun} into the trash")
        async def trash(
            self,
            request: ApiRequest,
            document_id: FromPath[UUID],
            if_match: NamedDependency[int | None],
            documents: Service,
            uow: NamedDependency[UnitOfWork],
        ) -> None:
            """Out of the readers' sight at once; `restore` brings it back as a draft."""
            async with uow:
                await documents.trash(uow, request.user, document_id, expected=if_match)

        @post(
            f"{KEY}/duplicate",
            operation_id=f"duplicate{name}",
            summary=f"Duplicate a {noun}",
            status_code=201,
        )
        async def duplicate(
            self,
            request: ApiRequest,
            document_id: FromPath[UUID],
            if_match: NamedDependency[int | None],
            documents: Service,
            uow: NamedDependency[UnitOfWork],
        ) -> View:
            """Begin another one with the same draft, under a free slug."""
            async with uow:
                copy = await documents.duplicate(uow, request.user, document_id, expected=if_match)
            return resource(
                request, copy, status=201, location=f"/api/v1/{base_of(request, plural)}/{copy.id}"
            )

        @post(f"{KEY}/purge", operation_id=f"purge{name}", summary=f"Purge a {noun}", status_code=204)
        async def purge(
            self,
            request: ApiRequest,
            document_id: FromPath[UUID],
            if_match: NamedDependency[int | None],
            documents: Service,
            uow: NamedDependency[UnitOfWork],
        ) -> None:
            """Delete it from the trash for good, with all its revisions."""
            async with uow:
                await documents.purge(uow, request.user, document_id, expected=if_match)

        @post(
            f"{KEY}/publish",
            operation_id=f"publish{name}",
            summary=f"Publish a {noun}",
            status_code=200,
            opt={"example": {"revision_id": "01936f2a-d1c8-7b6e-9c1f-3a5b7d9e0f12"}},
        )
        async def publish(
            self,
            request: ApiRequest,
            document_id: FromPath[UUID],
            if_match: NamedDependency[int | None],
            documents: Service,
            uow: NamedDependency[UnitOfWork],
            data: JSONBody[Publication | None] = None,
        ) -> View:
            """Make the draft what readers see; or, where a body names one, an older revision."""
            revision_id = data.revision_id if data is not None else None
            async with uow:
                document = await documents.publish(
                    uow, request.user, document_id, expected=if_match, revision_id=revision_id
                )
            return resource(request, document)

        unpublish = action("unpublish", "Take the live copy away; the draft stays.")
        discard = action("discard", "Give the draft up for what is live.")
        archive = action("archive", "Lay it aside: out of the readers' sight, and not to be changed.")
        unarchive = action("unarchive", "Take it out of the archive, as a draft.")
        restore = action("restore", "Bring it back from the trash, as a draft.")

    DocumentController.__name__ = f"{name}Controller"
    return DocumentController


def _article(changes: type[msgspec.Struct]) -> Callable[[Any], tuple[Any, str | None]]:
    return lambda data: (into(data, changes), getattr(data, "locale", None) or None)


PostController = document_controller(
    "posts",
    "post",
    service=PostService,
    view=PostView,
    new=NewPost,
    changed=PostPatch,
    changes=_article(PostChanges),
    listing=POSTS,
    example={"title": "Hello, world", "body": "The **first** post.", "format": "markdown"},
    better={"title": "A better title"},
)
PageController = document_controller(
    "pages",
    "page",
    service=PageService,
    view=PageView,
    new=NewPage,
    changed=PagePatch,
    changes=_article(PageChanges),
    listing=PAGES,
    example={"title": "About", "body": "<p>Who we are.</p>", "menu_order": 10},
    better={"title": "A better title"},
)
