"""Signing in and out."""

from uuid import UUID

from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from cms_api.adapters.http.auth.schemas import Authentication, Login, Me, PasswordChange, Refresh
from cms_api.adapters.http.lists import list_query, list_response
from cms_api.adapters.http.preconditions import unversioned
from cms_api.adapters.http.requests import ApiRequest
from cms_api.adapters.http.schemas import ListView
from cms_api.domains.auth.api import SESSIONS, SessionService, SessionView, UserService
from cms_api.kernel.unit_of_work import UnitOfWork

NO_STORE = {"Cache-Control": "no-store"}


class SessionController(Controller):
    """Sessions of the signed-in user."""

    path = "/auth"
    tags = ("auth",)

    @post(
        "/login",
        operation_id="login",
        status_code=200,
        opt={"public": True, "example": {"email": "ada@example.org", "password": "correct horse battery"}},
    )
    async def login(
        self,
        request: ApiRequest,
        data: JSONBody[Login],
        sessions: NamedDependency[SessionService],
        uow: NamedDependency[UnitOfWork],
    ) -> Response[Authentication]:
        """Sign in with e-mail address and password."""
        async with uow:
            signed_in = await sessions.login(
                uow,
                email=data.email,
                password=data.password,
                user_agent=request.headers.get("user-agent"),
                ip=request.client.host if request.client else None,
            )
        return Response(Authentication.of(signed_in), headers=NO_STORE)

    @post(
        "/refresh",
        operation_id="refresh",
        status_code=200,
        opt={"public": True, "example": {"refresh_token": "q3v…"}},
    )
    async def refresh(
        self,
        data: JSONBody[Refresh],
        sessions: NamedDependency[SessionService],
        uow: NamedDependency[UnitOfWork],
    ) -> Response[Authentication]:
        """Exchange a refresh token for new tokens. Each is good once; a second use ends the session."""
        async with uow:
            signed_in = await sessions.refresh(uow, refresh_token=data.refresh_token)
        return Response(Authentication.of(signed_in), headers=NO_STORE)

    @post("/logout", operation_id="logout", status_code=204)
    async def logout(
        self,
        request: ApiRequest,
        sessions: NamedDependency[SessionService],
        uow: NamedDependency[UnitOfWork],
    ) -> None:
        """End the session that the access token belongs to."""
        async with uow:
            await sessions.logout(uow, request.user)

    @get("/me", operation_id="me")
    async def me(self, request: ApiRequest, users: NamedDependency[UserService]) -> Response[Me]:
        """The signed-in user, her roles and effective permissions."""
        user = await users.get(request.user, request.user.require_user())
        me = Me(user=user, roles=list(user.roles), permissions=sorted(request.user.permissions))
        return unversioned(request, me)

    @get("/sessions", operation_id="listSessions", opt={"listing": SESSIONS})
    async def list_sessions(
        self, request: ApiRequest, sessions: NamedDependency[SessionService]
    ) -> Response[ListView[SessionView]]:
        """The live sessions of the signed-in user. The newest come first."""
        query = list_query(request, SESSIONS)
        return list_response(request, query, await sessions.list(request.user, query.request))

    @delete("/sessions", operation_id="revokeOtherSessions")
    async def revoke_others(
        self,
        request: ApiRequest,
        sessions: NamedDependency[SessionService],
        uow: NamedDependency[UnitOfWork],
    ) -> None:
        """End all other sessions of the signed-in user."""
        async with uow:
            await sessions.revoke_others(uow, request.user)

    @delete("/sessions/{session_id:uuid}", operation_id="revokeSession")
    async def revoke(
        self,
        request: ApiRequest,
        session_id: FromPath[UUID],
        sessions: NamedDependency[SessionService],
        uow: NamedDependency[UnitOfWork],
    ) -> None:
        """End one session of the signed-in user."""
        async with uow:
            await sessions.revoke(uow, request.user, session_id)

    @post(
        "/password/change",
        operation_id="changePassword",
        status_code=204,
        opt={
            "example": {"current_password": "correct horse battery", "new_password": "staple horse correct"}
        },
    )
    async def change_password(
        self,
        request: ApiRequest,
        data: JSONBody[PasswordChange],
        users: NamedDependency[UserService],
        uow: NamedDependency[UnitOfWork],
    ) -> None:
        """Replace the own password, and end all other sessions."""
        async with uow:
            await users.change_password(
                uow,
                request.user,
                current_password=data.current_password,
                new_password=data.new_password,
            )
