"""Slugs that categories, tags and authors had: what was found by one is found by it still."""

from abc import ABC, abstractmethod
from typing import Literal
from uuid import UUID

Kind = Literal["category", "tag", "author"]


class FormerSlugRepository(ABC):
    """What last had a slug that nothing has by now. A deletion takes the slugs along."""

    @abstractmethod
    async def put(self, kind: Kind, owner: UUID, *, slug: str, former: str | None = None) -> None:
        """``owner``, which is stored, has ``slug`` from now on, and had ``former`` where that is another one.

        So ``former`` leads to it, and ``slug`` is nobody's former one any more: whoever had it before has lost it.
        """
