"""The auth domain's side of the database."""

from collections.abc import Callable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.adapters.sqlalchemy.auth.repositories import SqlAlchemySessions, SqlAlchemyUsers
from cms_api.domains.auth.sessions.ports import SessionRepository
from cms_api.domains.auth.users.ports import UserRepository

REPOSITORIES: dict[type, Callable[[AsyncSession], Any]] = {
    UserRepository: SqlAlchemyUsers,
    SessionRepository: SqlAlchemySessions,
}
