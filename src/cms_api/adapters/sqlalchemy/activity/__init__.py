"""The event log's table."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Identity, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from cms_api.adapters.sqlalchemy.base import Base


class EventRow(Base):
    """One event. ``xact`` (see the migration) is the database's own affair."""

    __tablename__ = "events"
    __table_args__ = {"schema": "activity"}  # noqa: RUF012 - SQLAlchemy's own idiom

    position: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    name: Mapped[str]
    subject: Mapped[UUID] = mapped_column(Uuid)
    actor: Mapped[UUID | None] = mapped_column(Uuid)
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    occurred_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
