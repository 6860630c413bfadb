"""Users and what may be granted to them."""

from uuid import UUID

from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from cms_api.adapters.http.auth.schemas import NewUser, UserPatch
from cms_api.adapters.http.lists import list_query, list_response
from cms_api.adapters.http.preconditions import resource
from cms_api.adapters.http.requests import ApiRequest
from cms_api.adapters.http.schemas import ListView
from cms_api.domains.auth.api import (
    GRANTABLE,
    ROLES,
    USERS,
    PermissionView,
    RoleService,
    RoleView,
    UserChanges,
    UserService,
    UserView,
)
from cms_api.kernel.unit_of_work import UnitOfWork


class UserController(Controller):
    """Users, for administrators."""

    path = "/users"
    tags = ("users",)

    @post(
        "/",
        operation_id="createUser",
        opt={
            "example": {
                "email": "bea@example.org",
                "name": "Bea",
                "password": "a good long password",
                "roles": ["author"],
            }
        },
    )
    async def create(
        self,
        request: ApiRequest,
        data: JSONBody[NewUser],
        users: NamedDependency[UserService],
        uow: NamedDependency[UnitOfWork],
    ) -> Response[UserView]:
        """Make a user."""
        async with uow:
            user = await users.create(
                uow,
                request.user,
                email=data.email,
                name=data.name,
                password=data.password,
                roles=data.roles,
            )
        return resource(request, user, status=201, location=f"/api/v1/users/{user.id}")

    @get("/", operation_id="listUsers", opt={"listing": USERS})
    async def list_users(
        self, request: ApiRequest, users: NamedDependency[UserService]
    ) -> Response[ListView[UserView]]:
        """The users."""
        query = list_query(request, USERS)
        return list_response(request, query, await users.list(request.user, query.request))

    @get("/{user_id:uuid}", operation_id="getUser")
    async def get(
        self, request: ApiRequest, user_id: FromPath[UUID], users: NamedDependency[UserService]
    ) -> Response[UserView]:
        """One user."""
        return resource(request, await users.get(request.user, user_id))

    @patch(
        "/{user_id:uuid}",
        operation_id="updateUser",
        opt={"example": {"name": "Beatrice", "roles": ["author", "editor"]}},
    )
    async def update(
        self,
        request: ApiRequest,
        user_id: FromPath[UUID],
        data: JSONBody[UserPatch],
        if_match: NamedDependency[int | None],
        users: NamedDependency[UserService],
        uow: NamedDependency[UnitOfWork],
    ) -> Response[UserView]:
        """Change a user. A new password, or deactivation, ends all her sessions."""
        changes = UserChanges(
            email=data.email,
            name=data.name,
            password=data.password,
            is_active=data.is_active,
            roles=data.roles,
        )
        async with uow:
            user = await users.update(uow, request.user, user_id, expected=if_match, changes=changes)
        return resource(request, user)

    @delete("/{user_id:uuid}", operation_id="deleteUser")
    async def delete(
        self,
        request: ApiRequest,
        user_id: FromPath[UUID],
        if_match: NamedDependency[int | None],
        users: NamedDependency[UserService],
        uow: NamedDependency[UnitOfWork],
    ) -> None:
        """Delete a user, with all her sessions. The last active administrator stays."""
        async with uow:
            await users.delete(uow, request.user, user_id, expected=if_match)


@get("/roles", operation_id="listRoles", tags=["users"], opt={"listing": ROLES})
async def list_roles(
    request: ApiRequest, roles: NamedDependency[RoleService]
) -> Response[ListView[RoleView]]:
    """The roles, with the permissions that each gives."""
    query = list_query(request, ROLES)
    return list_response(request, query, await roles.roles(request.user, query.request))


@get("/permissions", operation_id="listPermissions", tags=["users"], opt={"listing": GRANTABLE})
async def list_permissions(
    request: ApiRequest, roles: NamedDependency[RoleService]
) -> Response[ListView[PermissionView]]:
    """The permissions that a role may give."""
    query = list_query(request, GRANTABLE)
    return list_response(request, query, roles.permissions(request.user, query.request))
