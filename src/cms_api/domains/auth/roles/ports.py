"""What the service of roles needs from outside."""

from abc import ABC, abstractmethod
from uuid import UUID

from cms_api.domains.auth.roles.interface import RoleView


class RoleQueries(ABC):
    """Roles, for looking at them."""

    @abstractmethod
    async def list(self, user_id: UUID | None = None) -> list[RoleView]:
        """All roles, or those of a user, by key."""
