"""Authors, categories and tags."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from cms_api.adapters.http.cms.schemas import (
    AuthorPatch,
    CategoryPatch,
    NewAuthor,
    NewCategory,
    NewTag,
    TagPatch,
    into,
)
from cms_api.adapters.http.items import item_query, item_response
from cms_api.adapters.http.lists import list_query, list_response
from cms_api.adapters.http.preconditions import resource
from cms_api.adapters.http.requests import ApiRequest
from cms_api.adapters.http.schemas import ListView, Wire
from cms_api.domains.cms.api import (
    AUTHORS,
    CATEGORIES,
    TAGS,
    AuthorChanges,
    AuthorService,
    AuthorView,
    RelatedService,
    Taxonomy,
    TermChanges,
    TermService,
    TermView,
)
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Listing


class AuthorController(Controller):
    """Bylines."""

    path = "/authors"
    tags = ("authors",)

    @post("/", operation_id="createAuthor", opt={"example": {"name": "Ada Lovelace", "bio": "Analyst."}})
    async def create(
        self,
        request: ApiRequest,
        data: JSONBody[NewAuthor],
        authors: NamedDependency[AuthorService],
        uow: NamedDependency[UnitOfWork],
    ) -> Response[AuthorView]:
        """Make an author."""
        async with uow:
            author = await authors.create(uow, request.user, into(data, AuthorChanges))
        return resource(request, author, status=201, location=f"/api/v1/authors/{author.id}")

    @get("/", operation_id="listAuthors", opt={"listing": AUTHORS})
    async def list_authors(
        self,
        request: ApiRequest,
        authors: NamedDependency[AuthorService],
        related: NamedDependency[RelatedService],
    ) -> Response[ListView[AuthorView]]:
        """The authors."""
        query = list_query(request, AUTHORS)
        page = await authors.list(request.user, query.request)
        return list_response(
            request, query, await related.within(request.user, page, AUTHORS, query.selection)
        )

    @get("/{author_id:uuid}", operation_id="getAuthor", opt={"item_of": AUTHORS})
    async def get(
        self,
        request: ApiRequest,
        author_id: FromPath[UUID],
        authors: NamedDependency[AuthorService],
        related: NamedDependency[RelatedService],
    ) -> Response[AuthorView]:
        """One author."""
        wanted = item_query(request, AUTHORS)
        author = await authors.get(request.user, author_id)
        shown = await related.of(request.user, author, AUTHORS, wanted)
        return item_response(request, author, shown, AUTHORS, wanted)

    @patch(
        "/{author_id:uuid}", operation_id="updateAuthor", opt={"example": {"bio": "The first programmer."}}
    )
    async def update(
        self,
        request: ApiRequest,
        author_id: FromPath[UUID],
        data: JSONBody[AuthorPatch],
        if_match: NamedDependency[int | None],
        authors: NamedDependency[AuthorService],
        uow: NamedDependency[UnitOfWork],
    ) -> Response[AuthorView]:
        """Change an author."""
        async with uow:
            author = await authors.update(
                uow, request.user, author_id, into(data, AuthorChanges), expected=if_match
            )
        return resource(request, author)

    @delete("/{author_id:uuid}", operation_id="deleteAuthor")
    async def delete(
        self,
        request: ApiRequest,
        author_id: FromPath[UUID],
        if_match: NamedDependency[int | None],
        authors: NamedDependency[AuthorService],
        uow: NamedDependency[UnitOfWork],
    ) -> None:
        """Delete an author whom no document names."""
        async with uow:
            await authors.delete(uow, request.user, author_id, expected=if_match)


def term_controller(
    taxonomy: Taxonomy,
    plural: str,
    *,
    new: type[Wire],
    changed: type[Wire],
    listing: Listing,
    example: dict[str, Any],
) -> type[Controller]:
    """The management routes of a taxonomy."""
    name, key = taxonomy.capitalize(), "/{term_id:uuid}"

    class TermController(Controller):
        """Terms."""

        path = f"/{plural}"
        tags = (plural,)

        @post("/", operation_id=f"create{name}", summary=f"Make a {taxonomy}", opt={"example": example})
        async def create(
            self,
            request: ApiRequest,
            data: JSONBody[new],
            terms: NamedDependency[TermService],
            uow: NamedDependency[UnitOfWork],
        ) -> Response[TermView]:
            """The slug is made of the name where none is given."""
            async with uow:
                term = await terms.create(uow, request.user, taxonomy, into(data, TermChanges))
            return resource(request, term, status=201, location=f"/api/v1/{plural}/{term.id}")

        @get(
            "/", operation_id=f"list{plural.capitalize()}", summary=f"List {plural}", opt={"listing": listing}
        )
        async def list_terms(
            self,
            request: ApiRequest,
            terms: NamedDependency[TermService],
            related: NamedDependency[RelatedService],
        ) -> Response[ListView[TermView]]:
            """By name where no other order is asked for."""
            query = list_query(request, listing)
            page = await terms.list(request.user, taxonomy, query.request)
            return list_response(
                request, query, await related.within(request.user, page, listing, query.selection)
            )

        @get(key, operation_id=f"get{name}", summary=f"Read a {taxonomy}", opt={"item_of": listing})
        async def get(
            self,
            request: ApiRequest,
            term_id: FromPath[UUID],
            terms: NamedDependency[TermService],
            related: NamedDependency[RelatedService],
        ) -> Response[TermView]:
            """One term."""
            wanted = item_query(request, listing)
            term = await terms.get(request.user, taxonomy, term_id)
            shown = await related.of(request.user, term, listing, wanted)
            return item_response(request, term, shown, listing, wanted)

        @patch(
            key,
            operation_id=f"update{name}",
            summary=f"Change a {taxonomy}",
            opt={"example": {"name": "A better name"}},
        )
        async def update(
            self,
            request: ApiRequest,
            term_id: FromPath[UUID],
            data: JSONBody[changed],
            if_match: NamedDependency[int | None],
            terms: NamedDependency[TermService],
            uow: NamedDependency[UnitOfWork],
        ) -> Response[TermView]:
            """Change a term; documents filed under it follow."""
            async with uow:
                term = await terms.update(
                    uow, request.user, taxonomy, term_id, into(data, TermChanges), expected=if_match
                )
            return resource(request, term)

        @delete(key, operation_id=f"delete{name}", summary=f"Delete a {taxonomy}")
        async def delete(
            self,
            request: ApiRequest,
            term_id: FromPath[UUID],
            if_match: NamedDependency[int | None],
            terms: NamedDependency[TermService],
            uow: NamedDependency[UnitOfWork],
        ) -> None:
            """Delete a term that nothing is filed under."""
            async with uow:
                await terms.delete(uow, request.user, taxonomy, term_id, expected=if_match)

    TermController.__name__ = f"{name}Controller"
    return TermController


CategoryController = term_controller(
    "category",
    "categories",
    new=NewCategory,
    changed=CategoryPatch,
    listing=CATEGORIES,
    example={"name": "News", "description": "What is new."},
)
TagController = term_controller(
    "tag", "tags", new=NewTag, changed=TagPatch, listing=TAGS, example={"name": "Python"}
)
