"""Roles, and the permissions that they give."""

from abc import ABC, abstractmethod

import msgspec

from cms_api.kernel.actor import Actor


class RoleView(msgspec.Struct, frozen=True, kw_only=True):
    """A named set of permissions."""

    key: str
    name: str
    description: str
    permissions: tuple[str, ...]


class PermissionView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a role may allow."""

    name: str
    description: str


class RoleService(ABC):
    """What there is to be granted."""

    @abstractmethod
    async def roles(self, actor: Actor) -> list[RoleView]:
        """All roles, by key. Needs ``roles:read``."""

    @abstractmethod
    def permissions(self, actor: Actor) -> list[PermissionView]:
        """All permissions of all domains, by name. Needs ``roles:read``."""
