"""The tables of the auth domain."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, DateTime, ForeignKey, LargeBinary, Table, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from cms_api.adapters.sqlalchemy.base import Base

AUTH = {"schema": "auth"}
Moment = DateTime(timezone=True)

user_roles = Table(
    "user_roles",
    Base.metadata,
    Column("user_id", Uuid, ForeignKey("auth.users.id", ondelete="CASCADE"), primary_key=True),
    Column("role_key", Text, ForeignKey("auth.roles.key"), primary_key=True, index=True),
    schema="auth",
)
role_permissions = Table(
    "role_permissions",
    Base.metadata,
    Column("role_key", Text, ForeignKey("auth.roles.key", ondelete="CASCADE"), primary_key=True),
    Column("permission", Text, primary_key=True),
    schema="auth",
)


class UserRow(Base):
    """A user."""

    __tablename__ = "users"
    __table_args__ = AUTH

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    version: Mapped[int] = mapped_column(server_default="1")
    email: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str] = mapped_column(Text)
    is_active: Mapped[bool] = mapped_column(server_default="true")
    last_login_at: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime] = mapped_column(Moment)


class RoleRow(Base):
    """A role."""

    __tablename__ = "roles"
    __table_args__ = AUTH

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)


class SessionRow(Base):
    """A sign-in on one device."""

    __tablename__ = "sessions"
    __table_args__ = AUTH

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("auth.users.id", ondelete="CASCADE"))
    user_agent: Mapped[str | None] = mapped_column(Text)
    ip: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Moment)
    last_used_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)


class RefreshTokenRow(Base):
    """A refresh token, by its digest."""

    __tablename__ = "refresh_tokens"
    __table_args__ = AUTH

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("auth.sessions.id", ondelete="CASCADE"), index=True)
    issued_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)
