"""What readers say: taking it in, showing it, moderating it."""

from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody
from litestar.types import ASGIApp
from msgspec import UNSET, Meta, UnsetType

from cms_api.adapters.http.cms.answering import delivered_list, delivered_one
from cms_api.adapters.http.cms.documents import ENTRIES, base_of, kind_of
from cms_api.adapters.http.cms.schemas import into
from cms_api.adapters.http.lists import list_query, list_response
from cms_api.adapters.http.preconditions import resource, unversioned
from cms_api.adapters.http.problems import rate_headers
from cms_api.adapters.http.requests import ApiRequest
from cms_api.adapters.http.schemas import Email, ListView, View, Wire
from cms_api.domains.cms.api import (
    DELIVERED_COMMENTS,
    READER_COMMENTS,
    CommentRuleService,
    CommentSettingsView,
    DeliveredCommentService,
    Moderated,
    NewReaderComment,
    Quota,
    ReaderCommentChanges,
    ReaderCommentCounts,
    ReaderCommentRules,
    ReaderCommentService,
    ReaderCommentState,
    ReaderCommentView,
    RuleChanges,
    SettingChanges,
    SubmissionService,
    SubmittedComment,
)
from cms_api.kernel.unit_of_work import UnitOfWork

TAGS = ("reader-comments",)
Words = Annotated[
    str, Meta(min_length=1, max_length=5_000, description="Plain text; an empty line ends a paragraph.")
]
ReaderName = Annotated[str, Meta(min_length=1, max_length=100, description="On one line.")]
ReaderUrl = Annotated[str, Meta(max_length=500, description="Begins with `http://` or `https://`.")]
Trap = Annotated[
    str,
    Meta(
        max_length=2_000,
        description="Leave it empty. Hide the field from people; whatever fills it in is taken for spam.",
    ),
]
TypeKey = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]*$(?!\n)", max_length=64)]
Days = Annotated[int, Meta(ge=1, le=36_500)]
Entry = Annotated[str, Meta(min_length=1, max_length=320)]
Entries = Annotated[tuple[Entry, ...], Meta(max_length=500)]
EXAMPLE = {
    "author_name": "Grace",
    "author_email": "grace@example.org",
    "body": "Well said.\n\nAnd what of the moth?",
}


class ReaderCommentRequest(Wire, frozen=True, kw_only=True):
    """What a reader says. Who is signed in leaves out name and address: they are her account's.

    The address is never shown. `parent` is an approved comment on the same document.
    """

    body: Words
    author_name: ReaderName | None = None
    author_email: Email | None = None
    author_url: ReaderUrl | None = None
    parent: UUID | None = None
    website: Trap | None = None


class ReaderCommentPatch(Wire, frozen=True, kw_only=True):
    """New values; what is left out stays."""

    body: Words | UnsetType = UNSET
    author_name: ReaderName | UnsetType = UNSET
    author_url: ReaderUrl | UnsetType | None = UNSET


class ModerationRequest(Wire, frozen=True, kw_only=True):
    """Which comments, and the state that they are to be in."""

    ids: Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=100)]
    state: ReaderCommentState


class ErasureRequest(Wire, frozen=True, kw_only=True):
    """Whose comments are to be anonymous from now on."""

    author_email: Email


class Erasure(View, frozen=True, kw_only=True):
    """How many comments no longer say who wrote them."""

    erased: int


class CommentRulesPatch(Wire, frozen=True, kw_only=True):
    """New rules; what is left out stays, lists and `types` are replaced whole."""

    enabled: bool | UnsetType = UNSET
    types: Annotated[dict[TypeKey, bool], Meta(max_length=200)] | UnsetType = UNSET
    closes_after_days: Days | UnsetType | None = UNSET
    requires_moderation: bool | UnsetType = UNSET
    previously_approved: bool | UnsetType = UNSET
    max_links: Annotated[int, Meta(ge=0, le=1_000)] | UnsetType = UNSET
    blocked_words: Entries | UnsetType = UNSET
    blocked_addresses: Entries | UnsetType = UNSET
    blocked_networks: Entries | UnsetType = UNSET
    spam_days: Days | UnsetType | None = UNSET
    trash_days: Days | UnsetType | None = UNSET


class CommentSettingsPatch(Wire, frozen=True, kw_only=True):
    """New settings of a document; null goes by the rules, what is left out stays."""

    is_open: bool | UnsetType | None = UNSET
    closes_at: Annotated[datetime, Meta(tz=True)] | UnsetType | None = UNSET


class DeliveredComment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An approved comment. `html` is `body` in paragraphs; `author_name` is null once it was erased."""

    id: UUID
    document: UUID
    parent: UUID | None
    depth: int
    author_name: str | None
    author_url: str | None
    body: str
    html: str
    created_at: Annotated[datetime, Meta(tz=True)]
    is_staff: bool


def comment_routes(plural: str, noun: str) -> list[HTTPRouteHandler]:
    """The public routes of the comments on a content type, whose key is ``noun``."""
    name, path = noun.capitalize(), f"/{plural}/{{document_id:uuid}}/comments"
    kind = partial(kind_of, noun)

    @post(
        path,
        operation_id=f"submit{name}Comment",
        summary=f"Comment on a published {noun}",
        tags=TAGS,
        opt={"example": EXAMPLE, "problems": ("429",)},
    )
    async def submit(
        request: ApiRequest,
        document_id: FromPath[UUID],
        data: JSONBody[ReaderCommentRequest],
        submissions: NamedDependency[SubmissionService],
        uow: NamedDependency[UnitOfWork],
    ) -> Response[SubmittedComment]:
        """For everybody, as often as `RateLimit` says. `state` tells whether it is shown at once."""
        new, client = into(data, NewReaderComment), request.client.host if request.client else None
        async with uow:
            made, quota = await submissions.submit(
                uow, request.user, kind(request), document_id, new, client=client
            )
        location = f"/api/v1/content/{base_of(request, plural)}/{document_id}/comments/{made.id}"
        return _with_quota(resource(request, made, status=201, location=location), quota)

    @get(
        path,
        operation_id=f"deliver{name}Comments",
        summary=f"List the comments on a published {noun}",
        tags=TAGS,
        opt={"listing": DELIVERED_COMMENTS, "answers": ListView[DeliveredComment]},
    )
    async def list_comments(
        request: ApiRequest,
        document_id: FromPath[UUID],
        delivered_comments: NamedDependency[DeliveredCommentService],
    ) -> ASGIApp:
        """Approved ones, thread by thread: each comment is followed by its replies."""
        query = list_query(request, DELIVERED_COMMENTS)
        found = await delivered_comments.list(kind(request), document_id, query.request, query.selection)
        return delivered_list(request, query, found, keys=(str(document_id), f"comments:{document_id}"))

    @get(
        f"{path}/{{comment_id:uuid}}",
        operation_id=f"deliver{name}Comment",
        summary=f"Read a comment on a published {noun}",
        tags=TAGS,
        opt={"answers": DeliveredComment},
    )
    async def one(
        request: ApiRequest,
        document_id: FromPath[UUID],
        comment_id: FromPath[UUID],
        delivered_comments: NamedDependency[DeliveredCommentService],
    ) -> ASGIApp:
        """An approved one."""
        found = await delivered_comments.one(kind(request), document_id, comment_id)
        return delivered_one(request, found, keys=(f"comments:{document_id}",))

    return [submit, list_comments, one]


def _with_quota(response: Response[Any], quota: Quota | None) -> Response[Any]:
    if quota is not None:
        response.headers.update(rate_headers({"policy": "comments", **msgspec.structs.asdict(quota)}))
    return response


def comment_settings_controller(plural: str, noun: str) -> type[Controller]:
    """The routes of what a document of a content type says of its comments."""
    name, kind = noun.capitalize(), partial(kind_of, noun)

    class CommentSettingsController(Controller):
        """Whether readers may comment on a document."""

        path = f"/{plural}/{{document_id:uuid}}/comment-settings"
        tags = TAGS

        @get(
            "/",
            operation_id=f"get{name}CommentSettings",
            summary=f"See whether a {noun} takes comments",
            opt={"whole": False},
        )
        async def get(
            self,
            request: ApiRequest,
            document_id: FromPath[UUID],
            comment_rules: NamedDependency[CommentRuleService],
        ) -> Response[CommentSettingsView]:
            """What the document says itself, and what comes of it at this moment."""
            found = await comment_rules.settings(request.user, kind(request), document_id)
            return resource(request, found, is_whole=False)

        @patch(
            "/",
            operation_id=f"update{name}CommentSettings",
            summary=f"Open or close comments on a {noun}",
            opt={"example": {"is_open": True, "closes_at": "2027-01-01T00:00:00Z"}},
        )
        async def update(
            self,
            request: ApiRequest,
            document_id: FromPath[UUID],
            data: JSONBody[CommentSettingsPatch],
            if_match: NamedDependency[int | None],
            comment_rules: NamedDependency[CommentRuleService],
            uow: NamedDependency[UnitOfWork],
        ) -> Response[CommentSettingsView]:
            """Null goes by the rules."""
            changes, user = into(data, SettingChanges), request.user
            async with uow:
                found = await comment_rules.change_settings(
                    uow, user, kind(request), document_id, changes, expected=if_match
                )
            return resource(request, found)

    CommentSettingsController.__name__ = f"{name}CommentSettingsController"
    return CommentSettingsController


def _moderating(verb: str, state: ReaderCommentState | None, summary: str, text: str) -> Any:
    """The route that puts a comment into a state, or without one back to where it was."""

    @post(
        f"/{{comment_id:uuid}}/{verb}",
        operation_id=f"{verb}ReaderComment",
        summary=summary,
        description=text,
        status_code=200,
    )
    async def handler(
        self: Any,  # noqa: ARG001 - a method, as Litestar wants it
        request: ApiRequest,
        comment_id: FromPath[UUID],
        if_match: NamedDependency[int | None],
        reader_comments: NamedDependency[ReaderCommentService],
        uow: NamedDependency[UnitOfWork],
    ) -> Response[ReaderCommentView]:
        user, one = request.user, comment_id
        async with uow:
            if state is None:
                found = await reader_comments.restore(uow, user, one, expected=if_match)
            else:
                found = await reader_comments.moderate(uow, user, one, state, expected=if_match)
        return resource(request, found)

    return handler


class ReaderCommentController(Controller):
    """Moderating what readers say."""

    path = "/comments"
    tags = TAGS

    approve = _moderating(
        "approve",
        "approved",
        "Let a reader's comment through",
        "Readers see it, where they see what it replies to.",
    )
    hold = _moderating(
        "hold", "pending", "Hold a reader's comment back", "It waits for a decision, out of readers' sight."
    )
    spam = _moderating(
        "spam", "spam", "Mark a reader's comment as spam", "It goes for good after `spam_days`."
    )
    trash = _moderating(
        "trash", "trash", "Put a reader's comment into the trash", "It goes for good after `trash_days`."
    )
    restore = _moderating(
        "restore",
        None,
        "Restore a reader's comment",
        "Out of spam or trash, to where it was before: approved, or pending.",
    )

    @get(
        "/",
        operation_id="listReaderComments",
        summary="List readers' comments",
        opt={"listing": READER_COMMENTS},
    )
    async def list_comments(
        self, request: ApiRequest, reader_comments: NamedDependency[ReaderCommentService]
    ) -> Response[ListView[ReaderCommentView]]:
        """Comments in every state, the newest first. `filter[body][contains]` looks for words."""
        query = list_query(request, READER_COMMENTS)
        return list_response(request, query, await reader_comments.list(request.user, query.request))

    @get("/counts", operation_id="countReaderComments", summary="Count readers' comments")
    async def counts(
        self, request: ApiRequest, reader_comments: NamedDependency[ReaderCommentService]
    ) -> Response[ReaderCommentCounts]:
        """How many there are in each state."""
        return unversioned(request, await reader_comments.counts(request.user))

    @post(
        "/moderate",
        operation_id="moderateReaderComments",
        summary="Moderate many comments",
        status_code=200,
        opt={"example": {"ids": ["01a20d77-a077-7000-9ee6-4bc668fc98d3"], "state": "approved"}},
    )
    async def moderate(
        self,
        request: ApiRequest,
        data: JSONBody[ModerationRequest],
        reader_comments: NamedDependency[ReaderCommentService],
        uow: NamedDependency[UnitOfWork],
    ) -> Response[Moderated]:
        """Up to 100 at once, in one transaction and whatever their versions."""
        async with uow:
            done = await reader_comments.moderate_many(uow, request.user, data.ids, data.state)
        return unversioned(request, done)

    @post(
        "/erase",
        operation_id="eraseReaderComments",
        summary="Erase who wrote comments",
        status_code=200,
        opt={"example": {"author_email": "grace@example.org"}},
    )
    async def erase(
        self,
        request: ApiRequest,
        data: JSONBody[ErasureRequest],
        reader_comments: NamedDependency[ReaderCommentService],
        uow: NamedDependency[UnitOfWork],
    ) -> Response[Erasure]:
        """Forget who wrote the comments of an address; what they say stays."""
        async with uow:
            number = await reader_comments.erase(uow, request.user, data.author_email)
        return unversioned(request, Erasure(erased=number))

    @get("/rules", operation_id="getCommentRules", summary="Read the rules of comments")
    async def rules(
        self, request: ApiRequest, comment_rules: NamedDependency[CommentRuleService]
    ) -> Response[ReaderCommentRules]:
        """Where readers may comment, what is let through, and what is taken for spam."""
        return resource(request, await comment_rules.rules(request.user))

    @patch(
        "/rules",
        operation_id="updateCommentRules",
        summary="Change the rules of comments",
        opt={"example": {"types": {"page": False}, "closes_after_days": 90, "blocked_words": ["casino"]}},
    )
    async def update_rules(
        self,
        request: ApiRequest,
        data: JSONBody[CommentRulesPatch],
        if_match: NamedDependency[int | None],
        comment_rules: NamedDependency[CommentRuleService],
        uow: NamedDependency[UnitOfWork],
    ) -> Response[ReaderCommentRules]:
        """For what is said from now on. Lists and `types` are replaced whole."""
        changes = into(data, RuleChanges)
        async with uow:
            found = await comment_rules.change_rules(uow, request.user, changes, expected=if_match)
        return resource(request, found)

    @get("/{comment_id:uuid}", operation_id="getReaderComment", summary="Read a reader's comment")
    async def get_comment(
        self,
        request: ApiRequest,
        comment_id: FromPath[UUID],
        reader_comments: NamedDependency[ReaderCommentService],
    ) -> Response[ReaderCommentView]:
        """One comment."""
        return resource(request, await reader_comments.get(request.user, comment_id))

    @patch(
        "/{comment_id:uuid}",
        operation_id="updateReaderComment",
        summary="Edit a reader's comment",
        opt={"example": {"body": "Well said.", "author_url": None}},
    )
    async def update(
        self,
        request: ApiRequest,
        comment_id: FromPath[UUID],
        data: JSONBody[ReaderCommentPatch],
        if_match: NamedDependency[int | None],
        reader_comments: NamedDependency[ReaderCommentService],
        uow: NamedDependency[UnitOfWork],
    ) -> Response[ReaderCommentView]:
        """What it says, and under which name."""
        changes, user = into(data, ReaderCommentChanges), request.user
        async with uow:
            found = await reader_comments.update(uow, user, comment_id, changes, expected=if_match)
        return resource(request, found)

    @delete("/{comment_id:uuid}", operation_id="deleteReaderComment", summary="Delete a reader's comment")
    async def delete(
        self,
        request: ApiRequest,
        comment_id: FromPath[UUID],
        if_match: NamedDependency[int | None],
        reader_comments: NamedDependency[ReaderCommentService],
        uow: NamedDependency[UnitOfWork],
    ) -> None:
        """For good, with all replies to it."""
        async with uow:
            await reader_comments.delete(uow, request.user, comment_id, expected=if_match)


EntryCommentSettingsController = comment_settings_controller(ENTRIES, "entry")
PostCommentSettingsController = comment_settings_controller("posts", "post")
PageCommentSettingsController = comment_settings_controller("pages", "page")
READER_COMMENT_ROUTES = [
    *comment_routes("posts", "post"),
    *comment_routes("pages", "page"),
    *comment_routes(ENTRIES, "entry"),
]
