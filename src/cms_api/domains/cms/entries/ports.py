"""What entries need from outside, beside what all documents need."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from uuid import UUID


class TranslationRepository(ABC):
    """Which documents say the same in several languages."""

    @abstractmethod
    async def others(self, *document_ids: UUID) -> Sequence[UUID]:
        """The other documents that are translations of these, or of the same ones, in the order of their ids."""
