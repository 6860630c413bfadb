"""Telling about roles."""

from collections.abc import Mapping

from cms_api.domains.auth.roles.interface import PermissionView, RoleService, RoleView
from cms_api.domains.auth.roles.ports import RoleQueries
from cms_api.domains.auth.users.policy import ROLES_READ
from cms_api.kernel.actor import Actor


class Roles(RoleService):
    """The service of roles. ``permissions`` are those of all domains, with what they allow."""

    def __init__(self, *, queries: RoleQueries, permissions: Mapping[str, str]) -> None:
        self._queries = queries
        self._permissions = permissions

    async def roles(self, actor: Actor) -> list[RoleView]:
        actor.require(ROLES_READ)
        return await self._queries.list()

    def permissions(self, actor: Actor) -> list[PermissionView]:
        actor.require(ROLES_READ)
        return [
            PermissionView(name=name, description=description)
            for name, description in sorted(self._permissions.items())
        ]
