"""What the service of roles needs from outside."""

from abc import ABC, abstractmethod

from cms_api.domains.auth.roles.interface import RoleView


class RoleQueries(ABC):
    """Roles, for looking at them."""

    @abstractmethod
    async def list(self) -> list[RoleView]:
        """All roles, by key."""
