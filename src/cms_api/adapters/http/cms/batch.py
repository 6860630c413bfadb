"""Many operations in one request."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import UNSET, Meta, UnsetType

from cms_api.adapters.http.cms.schemas import NewPage, NewPost, PagePatch, PostPatch, into
from cms_api.adapters.http.preconditions import VERSION, etag
from cms_api.adapters.http.problems import problem_of
from cms_api.adapters.http.requests import ApiRequest
from cms_api.adapters.http.schemas import View, Wire
from cms_api.domains.cms.api import (
    MAX_OPERATIONS,
    Action,
    BatchService,
    DocumentView,
    EntryChanges,
    Operation,
    Outcome,
    PageChanges,
    PostChanges,
)
from cms_api.kernel.errors import Fault, Faults, Invalid, invalid
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.validation import decode

WIRES: dict[tuple[str, str], type[Wire]] = {
    ("create", "post"): NewPost,
    ("create", "page"): NewPage,
    ("update", "post"): PostPatch,
    ("update", "page"): PagePatch,
}
CHANGES: dict[str, type[msgspec.Struct]] = {"post": PostChanges, "page": PageChanges}
EXAMPLE = {
    "atomic": True,
    "operations": [
        {"action": "create", "type": "post", "data": {"title": "Hello, world"}},
        {"action": "publish", "type": "post", "result_of": 0, "if_match": "v1"},
        {
            "action": "update",
            "type": "page",
            "id": "01936f2a-d1c8-7b6e-9c1f-3a5b7d9e0f12",
            "if_match": "v7",
            "data": {"title": "About us"},
        },
    ],
}

IfMatch = Annotated[
    str, Meta(pattern=rf'^("?{VERSION}"?|\*)$', description="The ETag that is meant, or `*`.")
]


class BatchOperation(Wire, frozen=True, kw_only=True):
    """One operation. All but `create` name a document, by `id` or by `result_of`, and a version, by `if_match`.

    `data` is what the route for it would take as its body.
    """

    action: Action
    type: Annotated[
        str, Meta(description="The key of a content type: `post`, `page`, or one made at run time.")
    ]
    id: UUID | UnsetType = UNSET
    result_of: Annotated[int, Meta(ge=0, description="The place of an earlier operation.")] | UnsetType = (
        UNSET
    )
    if_match: IfMatch | UnsetType = UNSET
    data: dict[str, Any] | UnsetType = UNSET
    revision_id: Annotated[UUID, Meta(description="For `publish` and `restore_revision`.")] | UnsetType = (
        UNSET
    )


class BatchInput(Wire, frozen=True, kw_only=True):
    """Operations, done in their order. `atomic`: all of them or none."""

    operations: Annotated[list[BatchOperation], Meta(min_length=1, max_length=MAX_OPERATIONS)]
    atomic: bool = True


class BatchOutcome(View, frozen=True, kw_only=True):
    """What came of an operation: what its own route would have answered."""

    status: int
    id: UUID | None
    etag: str | None
    document: DocumentView | None
    problem: dict[str, Any] | None


class BatchOutcomes(View, frozen=True, kw_only=True):
    """The outcomes, in the order of the operations."""

    results: list[BatchOutcome]


class BatchController(Controller):
    """Many operations in one request."""

    path = "/batch"
    tags = ("batch",)

    @post("/", operation_id="batch", status_code=200, opt={"example": EXAMPLE, "problems": ("404", "412")})
    async def run(
        self,
        request: ApiRequest,
        data: JSONBody[BatchInput],
        batch: NamedDependency[BatchService],
        uow: NamedDependency[UnitOfWork],
    ) -> Response[BatchOutcomes]:
        """Do up to 100 operations on documents, in one transaction.

        Atomic, the first one that is refused is the answer, its place as `operation`, and nothing is
        done. Otherwise each has its own outcome.
        """
        operations = _operations(data.operations)
        perform = batch.all_or_nothing if data.atomic else batch.one_by_one
        async with uow:
            outcomes = await perform(uow, request.user, operations)
        pairs = zip(operations, outcomes, strict=True)
        return Response(BatchOutcomes(results=[_shown(request, *pair) for pair in pairs]))


def _shown(request: ApiRequest, operation: Operation, outcome: Outcome) -> BatchOutcome:
    if outcome.error is not None:
        problem = problem_of(request, outcome.error)
        return BatchOutcome(
            status=problem["status"], id=outcome.document_id, etag=None, document=None, problem=problem
        )
    view: Any = outcome.view
    is_new = operation.action in ("create", "duplicate")
    return BatchOutcome(
        status=201 if is_new else 200 if view else 204,
        id=outcome.document_id,
        etag=etag(view.version) if view else None,
        document=view,
        problem=None,
    )


def _operations(given: list[BatchOperation]) -> list[Operation]:
    """The operations as the service takes them. Raises `Invalid` with the faults of all of them."""
    faults = Faults()
    found: list[Operation] = []
    for place, one in enumerate(given):
        pointer = f"/operations/{place}"
        for name, detail in _missing(one, place):
            with faults.noted():
                raise invalid(f"{pointer}/{name}", "operation", detail)
        with faults.noted():
            found.append(_operation(one, pointer))
    faults.refuse()
    return found


def _missing(one: BatchOperation, place: int) -> list[tuple[str, str]]:
    """What is wrong with an operation besides its data: the field, and why."""
    is_create = one.action == "create"
    has_target = one.id is not UNSET or one.result_of is not UNSET
    takes_revision = one.action in ("publish", "restore_revision")
    checks = [
        (is_create and has_target, "id", "A document that is to be created has no id yet."),
        (
            is_create and one.if_match is not UNSET,
            "if_match",
            "A document that is to be created has no version yet.",
        ),
        (not is_create and not has_target, "id", "Give the document's “id”, or “result_of”."),
        (
            one.id is not UNSET and one.result_of is not UNSET,
            "result_of",
            "Give “id” or “result_of”, not both.",
        ),
        (
            not is_create and one.if_match is UNSET,
            "if_match",
            "Say which version you mean, like “v3”, or “*”.",
        ),
        (
            isinstance(one.result_of, int) and one.result_of >= place,
            "result_of",
            "This is the place of an earlier operation.",
        ),
        (
            one.action in ("create", "update") and one.data is UNSET,
            "data",
            f"An operation “{one.action}” needs data.",
        ),
        (
            one.action not in ("create", "update") and one.data is not UNSET,
            "data",
            f"“{one.action}” takes no data.",
        ),
        (one.action == "restore_revision" and one.revision_id is UNSET, "revision_id", "Say which revision."),
        (
            not takes_revision and one.revision_id is not UNSET,
            "revision_id",
            f"“{one.action}” takes no revision.",
        ),
    ]
    return [(name, detail) for is_wrong, name, detail in checks if is_wrong]


def _operation(one: BatchOperation, pointer: str) -> Operation:
    changes: msgspec.Struct | None = None
    locale: str | None = None
    wire = WIRES.get((one.action, one.type))
    if wire is not None and one.data is not UNSET:
        try:
            data = decode(msgspec.json.encode(one.data), wire)
        except Invalid as error:
            located = tuple(Fault(f"{pointer}/data{f.pointer}", f.code, f.detail) for f in error.faults)
            raise Invalid(error.detail, faults=located) from None
        changes, locale = into(data, CHANGES[one.type]), getattr(data, "locale", None) or None
    elif isinstance(one.data, dict):
        given = one.data.get("locale") if one.action == "create" else None
        changes, locale = EntryChanges(values=one.data), given if isinstance(given, str) else None
    version = "*" if one.if_match is UNSET else one.if_match.strip('"').partition("-")[0]
    return Operation(
        action=one.action,
        type=one.type,
        target=_given(one.id) if one.id is not UNSET else _given(one.result_of),
        expected=None if version == "*" else int(version.removeprefix("v")),
        changes=changes,
        locale=locale,
        revision_id=_given(one.revision_id),
    )


def _given(value: Any) -> Any:
    return None if value is UNSET else value
