"""The auth domain, put together."""

from collections.abc import Mapping

from dependency_injector.containers import DeclarativeContainer
from dependency_injector.providers import DependenciesContainer, Dependency, Singleton

from cms_api.adapters.security.tokens import JwtTokens
from cms_api.adapters.sqlalchemy.auth.queries import SqlRoles, SqlSessions, SqlUsers
from cms_api.domains.auth.roles.service import Roles
from cms_api.domains.auth.sessions.service import Identity, Sessions
from cms_api.domains.auth.users.service import Users


class AuthContainer(DeclarativeContainer):
    """Users, roles and sessions. ``permissions`` are those of all domains."""

    core = DependenciesContainer()
    permissions: Dependency[Mapping[str, str]] = Dependency()

    user_queries = Singleton(SqlUsers, core.reader)
    session_queries = Singleton(SqlSessions, core.reader)
    tokens = Singleton(JwtTokens, core.settings.provided.secret_key)
    users = Singleton(Users, clock=core.clock, hasher=core.hasher, queries=user_queries)
    roles = Singleton(Roles, queries=Singleton(SqlRoles, core.reader), permissions=permissions)
    identity = Singleton(Identity, clock=core.clock, tokens=tokens, queries=session_queries)
    sessions = Singleton(
        Sessions,
        clock=core.clock,
        hasher=core.hasher,
        tokens=tokens,
        users=user_queries,
        queries=session_queries,
        access_lifetime=core.settings.provided.access_token_ttl,
        refresh_lifetime=core.settings.provided.refresh_token_ttl,
    )
