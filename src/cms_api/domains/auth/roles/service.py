"""Telling about roles."""

from collections.abc import Iterable, Mapping

from cms_api.domains.auth.roles.interface import PermissionView, RoleService, RoleView
from cms_api.domains.auth.roles.ports import RoleQueries
from cms_api.domains.auth.users.policy import ROLES_READ
from cms_api.kernel.actor import Actor
from cms_api.querying import Page, PageRequest
from cms_api.querying.evaluating import page_of


class Roles(RoleService):
    """The service of roles. ``permissions`` are those of all domains, with what they allow."""

    def __init__(self, *, queries: RoleQueries, permissions: Mapping[str, str]) -> None:
        self._queries = queries
        self._permissions = permissions

    async def roles(self, actor: Actor, page: PageRequest) -> Page[RoleView]:
        actor.require(ROLES_READ)
        return page_of(await self._queries.list(), page, key="key")

    async def existing(self, keys: Iterable[str]) -> frozenset[str]:
        return frozenset(keys) & {role.key for role in await self._queries.list()}

    def permissions(self, actor: Actor, page: PageRequest) -> Page[PermissionView]:
        actor.require(ROLES_READ)
        found = [
            PermissionView(name=name, description=description)
            for name, description in self._permissions.items()
        ]
        return page_of(found, page, key="name")
