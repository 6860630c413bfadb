"""What editors say about a document: the same routes, made once for each type."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, UnsetType

from cms_api.adapters.http.cms.documents import base_of, kind_of
from cms_api.adapters.http.cms.schemas import into
from cms_api.adapters.http.lists import list_query, list_response
from cms_api.adapters.http.preconditions import resource
from cms_api.adapters.http.requests import ApiRequest
from cms_api.adapters.http.schemas import ListView, Wire
from cms_api.domains.cms.api import COMMENTS, CommentChanges, CommentService, CommentView, NewComment
from cms_api.kernel.unit_of_work import UnitOfWork

Words = Annotated[str, Meta(min_length=1, max_length=5_000, pattern=r"\S", description="Plain text.")]
Pointer = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=500,
        description="A JSON Pointer (RFC 6901) into the document; its first step is one of its fields.",
        examples=["/body"],
    ),
]
Quote = Annotated[
    str, Meta(min_length=1, max_length=1_000, description="The words that the comment is about.")
]


class CommentPatch(Wire, frozen=True, kw_only=True):
    """New words; what is left out stays."""

    body: Words | UnsetType = UNSET


class CommentRequest(Wire, frozen=True, kw_only=True):
    """A comment on the document, on a field of it, or a reply to another comment."""

    body: Words
    field: Pointer | None = None
    quote: Quote | None = None
    parent_id: UUID | None = None


def comment_controller(plural: str, noun: str) -> type[Controller]:
    """The routes of the comments on a content type, whose key is ``noun``."""
    name, key = noun.capitalize(), "/{comment_id:uuid}"
    kind = partial(kind_of, noun)

    def settling(verb: str, text: str) -> Any:
        """The route that settles a thread, or takes it up again; ``verb`` is the service's method too."""

        @post(
            f"{key}/{verb}",
            operation_id=f"{verb}{name}Comment",
            summary=f"{verb.capitalize()} a thread on a {noun}",
            description=text,
            status_code=200,
        )
        async def handler(
            self: Any,  # noqa: ARG001 - a method, as Litestar wants it
            request: ApiRequest,
            document_id: FromPath[UUID],
            comment_id: FromPath[UUID],
            if_match: NamedDependency[int | None],
            comments: NamedDependency[CommentService],
            uow: NamedDependency[UnitOfWork],
        ) -> Response[CommentView]:
            settle = getattr(comments, verb)
            async with uow:
                comment = await settle(
                    uow, request.user, kind(request), document_id, comment_id, expected=if_match
                )
            return resource(request, comment)

        return handler

    class CommentController(Controller):
        """Comments among editors."""

        path = f"/{plural}/{{document_id:uuid}}/comments"
        tags = ("comments",)

        @post(
            "/",
            operation_id=f"create{name}Comment",
            summary=f"Comment on a {noun}",
            opt={
                "example": {"body": "Who says so?", "field": "/body", "quote": "It is well known"},
                "conflicts": True,
            },
        )
        async def create(
            self,
            request: ApiRequest,
            document_id: FromPath[UUID],
            data: JSONBody[CommentRequest],
            comments: NamedDependency[CommentService],
            uow: NamedDependency[UnitOfWork],
        ) -> Response[CommentView]:
            """On the whole, on a `field`, or with `parent_id` as a reply. Replies have no replies."""
            new = into(data, NewComment)
            async with uow:
                comment = await comments.create(uow, request.user, kind(request), document_id, new)
            location = f"/api/v1/{base_of(request, plural)}/{document_id}/comments/{comment.id}"
            return resource(request, comment, status=201, location=location)

        @get(
            "/",
            operation_id=f"list{name}Comments",
            summary=f"List the comments on a {noun}",
            opt={"listing": COMMENTS},
        )
        async def list_comments(
            self, request: ApiRequest, document_id: FromPath[UUID], comments: NamedDependency[CommentService]
        ) -> Response[ListView[CommentView]]:
            """In the order in which they were written. A reply counts as resolved with its thread."""
            query = list_query(request, COMMENTS)
            return list_response(
                request, query, await comments.list(request.user, kind(request), document_id, query.request)
            )

        @get(key, operation_id=f"get{name}Comment", summary=f"Read a comment on a {noun}")
        async def get(
            self,
            request: ApiRequest,
            document_id: FromPath[UUID],
            comment_id: FromPath[UUID],
            comments: NamedDependency[CommentService],
        ) -> Response[CommentView]:
            """One comment."""
            return resource(request, await comments.get(request.user, kind(request), document_id, comment_id))

        @patch(
            key,
            operation_id=f"update{name}Comment",
            summary=f"Change a comment on a {noun}",
            opt={"example": {"body": "Who says so, and when?"}},
        )
        async def update(
            self,
            request: ApiRequest,
            document_id: FromPath[UUID],
            comment_id: FromPath[UUID],
            data: JSONBody[CommentPatch],
            if_match: NamedDependency[int | None],
            comments: NamedDependency[CommentService],
            uow: NamedDependency[UnitOfWork],
        ) -> Response[CommentView]:
            """Your own one; others' with `comments:moderate`."""
            changes, user = into(data, CommentChanges), request.user
            async with uow:
                comment = await comments.update(
                    uow, user, kind(request), document_id, comment_id, changes, expected=if_match
                )
            return resource(request, comment)

        @delete(key, operation_id=f"delete{name}Comment", summary=f"Delete a comment on a {noun}")
        async def delete(
            self,
            request: ApiRequest,
            document_id: FromPath[UUID],
            comment_id: FromPath[UUID],
            if_match: NamedDependency[int | None],
            comments: NamedDependency[CommentService],
            uow: NamedDependency[UnitOfWork],
        ) -> None:
            """For good, with its replies. Where others have replied it takes `comments:moderate`."""
            async with uow:
                await comments.delete(
                    uow, request.user, kind(request), document_id, comment_id, expected=if_match
                )

        resolve = settling("resolve", "The thread is settled, with all its replies.")
        reopen = settling("reopen", "The thread is not settled after all.")

    CommentController.__name__ = f"{name}CommentController"
    return CommentController


PostCommentController = comment_controller("posts", "post")
PageCommentController = comment_controller("pages", "page")
