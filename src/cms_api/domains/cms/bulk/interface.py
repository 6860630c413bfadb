"""Many operations on documents in one request."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

import msgspec

from cms_api.domains.cms.documents.interface import DocumentView
from cms_api.domains.jobs.api import JobView
from cms_api.kernel.actor import Actor
from cms_api.kernel.errors import CmsError
from cms_api.kernel.unit_of_work import UnitOfWork

MAX_OPERATIONS = 100

Action = Literal[
    "create", "update", "discard", "restore_revision", "duplicate", "publish", "unpublish", "archive", "unarchive",
    "trash", "restore", "purge",
]  # fmt: skip


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation on a document of the content type ``type``.

    ``target`` is the document's id, or the place of an earlier operation whose document is
    meant; None for ``create``. ``expected`` is the version that is meant, None for any.
    ``changes`` are those of ``create`` and ``update``, in the struct that the type's service takes.
    ``revision_id`` is for ``restore_revision``, and optional for ``publish``.
    """

    action: Action
    type: str
    target: UUID | int | None = None
    expected: int | None = None
    changes: Any = None
    locale: str | None = None
    revision_id: UUID | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an operation: its document as it is now, None where that is gone, or an error."""

    document_id: UUID | None = None
    view: DocumentView | None = None
    error: CmsError | None = None


class BatchService(ABC):
    """Runs operations in their order; who may do what is decided for each of them."""

    @abstractmethod
    async def all_or_nothing(
        self, uow: UnitOfWork, actor: Actor, operations: Sequence[Operation]
    ) -> list[Outcome]:
        """All operations.

        The first that is refused raises its error, whose member ``operation`` is its place and
        whose faults point into it.
        """

    @abstractmethod
    async def one_by_one(
        self, uow: UnitOfWork, actor: Actor, operations: Sequence[Operation]
    ) -> list[Outcome]:
        """Each operation that can be done; one that is refused leaves the others alone."""


BulkAction = Literal[
    "publish",
    "unpublish",
    "discard",
    "archive",
    "unarchive",
    "trash",
    "restore",
    "purge",
    "tag",
    "categorise",
]


class BulkRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done to all documents that ``filter`` (see `bulk.filters`) lets through.

    ``add`` and ``remove`` are terms, for ``tag`` and ``categorise``. A ``dry_run`` does it all and
    takes it back, document by document.
    """

    action: BulkAction
    filter: dict[str, Any]
    add: tuple[UUID, ...] = ()
    remove: tuple[UUID, ...] = ()
    dry_run: bool = False


class BulkFailure(msgspec.Struct, frozen=True, kw_only=True):
    """A document that the action was refused for, and why."""

    id: UUID
    title: str
    code: str
    detail: str


class BulkResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it so far: numbers of documents, and the first 100 of the failures."""

    changed: int = 0
    unchanged: int = 0
    failed: int = 0
    failures: tuple[BulkFailure, ...] = ()


class BulkService(ABC):
    """The same for many documents, as a job."""

    @abstractmethod
    async def start(self, uow: UnitOfWork, actor: Actor, type: str, request: BulkRequest) -> JobView:
        """Begin the job. Needs ``documents:read``; what it does to each document needs what that needs.

        Documents that are made after this are left alone. Raises `Invalid` with every fault, and
        `QueryTooCostly`.
        """
