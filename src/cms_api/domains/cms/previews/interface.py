"""The site as it would look with some drafts published, for whoever has a link to that."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from uuid import UUID

import msgspec

from cms_api.kernel.actor import Actor

# In seconds.
MIN_LIFETIME, DEFAULT_LIFETIME, MAX_LIFETIME = 60, 3_600, 2_592_000
MAX_DOCUMENTS = 50


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """A preview of ``documents``. Whoever has the token sees their drafts until ``expires_at``."""

    token: str
    expires_at: datetime
    documents: tuple[UUID, ...]


class PreviewService(ABC):
    """Previews. None is stored: all that there is of one is its token."""

    @abstractmethod
    async def create(self, actor: Actor, documents: Sequence[UUID], *, lifetime: int) -> Preview:
        """A preview of up to 50 documents, for ``lifetime`` seconds, from 60 to 2,592,000.

        Needs `documents:read`. Raises `Invalid` that names every document which is not there, or in
        the archive or the trash.
        """

    @abstractmethod
    async def create_for(self, actor: Actor, type: str, document: UUID, *, lifetime: int) -> Preview:
        """The same for one document of a type. Raises `DocumentNotFound`, too."""

    @abstractmethod
    def showing(self, token: str) -> AbstractAsyncContextManager[None]:
        """Have all that is read inside of it see the drafts of a preview as if they were published.

        Nothing of that stays, and nobody else sees it. Raises `PreviewInvalid`, `PreviewExpired`,
        and what publishing would raise: `AddressTaken`, for instance.
        """
