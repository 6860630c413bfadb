"""Alembic's environment: runs on the connection that it is handed."""

from alembic import context
from sqlalchemy import text

from cms_api.adapters.sqlalchemy.base import Base
from cms_api.adapters.sqlalchemy.migrations import ADVISORY_LOCK

connection = context.config.attributes["connection"]
# Deploy-safe: a migration that can't get its lock gives way to the traffic instead of queueing it.
connection.execute(text("SET statement_timeout = '15min'"))
connection.execute(text(f"SELECT pg_advisory_lock({ADVISORY_LOCK})"))
connection.execute(text("SET lock_timeout = '5s'"))
connection.execute(text("SET statement_timeout = '60s'"))
connection.commit()
try:
    context.configure(connection=connection, target_metadata=Base.metadata, include_schemas=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
finally:
    connection.rollback()
    connection.execute(text(f"SELECT pg_advisory_unlock({ADVISORY_LOCK})"))
    connection.commit()
