"""Telling about roles."""

from collections.abc import Mapping

from cms_api.domains.auth.roles.interface import PermissionView, RoleService, RoleView
from cms_api.domains.auth.roles.ports import RoleQueries
from cms_api.domains.auth.users.policy import ROLES_READ
from cms_api.kernel.actor import Actor
from cms_api.kernel.errors import Unauthenticated


class Roles(RoleService):
    """The service of roles. ``permissions`` are those of all domains, with what they allow."""

    def __init__(self, *, queries: RoleQueries, permissions: Mapping[str, str]) -> None:
        self._queries = queries
        self._permissions = permissions

    async def roles(self, actor: Actor) -> list[RoleView]:
        actor.require(ROLES_READ)
        return await self._queries.list()

    async def of_user(self, actor: Actor) -> list[RoleView]:
        if actor.user_id is None:
            raise Unauthenticated("This needs a signed-in user.")
        return await self._queries.list(actor.user_id)

    def permissions(self, actor: Actor) -> list[PermissionView]:
        actor.require(ROLES_READ)
        return [
            PermissionView(name=name, description=description)
            for name, description in sorted(self._permissions.items())
        ]
