"""Roles, and the permissions that they give."""

from abc import ABC, abstractmethod
from collections.abc import Iterable

import msgspec

from cms_api.kernel.actor import Actor
from cms_api.querying import Listing, Page, PageRequest, SortKey


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


ROLES = Listing(
    sorts=("key", "name"),
    filters={"key": "text", "name": "text", "description": "text", "permissions": "text"},
    shown=RoleView.__struct_fields__,
    sort=(SortKey("key"),),
)
GRANTABLE = Listing(
    sorts=("name",),
    filters={"name": "text", "description": "text"},
    shown=PermissionView.__struct_fields__,
    sort=(SortKey("name"),),
)


class RoleService(ABC):
    """What there is to be granted."""

    @abstractmethod
    async def roles(self, actor: Actor, page: PageRequest) -> Page[RoleView]:
        """Roles, as `ROLES` allows. Needs ``roles:read``."""

    @abstractmethod
    async def existing(self, keys: Iterable[str]) -> frozenset[str]:
        """Those of ``keys`` that are roles'."""

    @abstractmethod
    def permissions(self, actor: Actor, page: PageRequest) -> Page[PermissionView]:
        """Permissions of all domains, as `GRANTABLE` allows. Needs ``roles:read``."""
