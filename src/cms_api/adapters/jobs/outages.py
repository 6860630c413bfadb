"""Telling a database that is away from one that refuses, and from errors of ours."""

import psycopg
import psycopg_pool
import sqlalchemy.exc
from procrastinate.exceptions import ConnectorException

# Classes of SQLSTATE: connection exception, operator intervention, insufficient resources.
_AWAY = ("08", "57P", "53")


def is_outage(error: BaseException) -> bool:
    """Whether the database was away. Timeouts of statements and locks are no outage."""
    if isinstance(error, sqlalchemy.exc.DBAPIError):
        if error.connection_invalidated:
            return True
        error = error.orig or error
    if isinstance(error, ConnectorException):
        error = error.__cause__ or error
    if isinstance(error, psycopg.Error) and error.sqlstate is not None:
        return error.sqlstate.startswith(_AWAY)
    return isinstance(
        error,
        (
            psycopg.OperationalError,
            psycopg.InterfaceError,
            psycopg_pool.PoolTimeout,
            psycopg_pool.PoolClosed,
            psycopg_pool.TooManyRequests,
            sqlalchemy.exc.TimeoutError,
            ConnectionError,
        ),
    )
