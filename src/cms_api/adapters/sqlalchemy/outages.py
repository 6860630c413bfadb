"""Telling a database that is away from one that refuses."""

import psycopg
import psycopg_pool
import sqlalchemy.exc

# Classes of SQLSTATE: connection exception, operator intervention, insufficient resources.
_AWAY = ("08", "57P", "53")
# A former primary that has become a replica.
_READ_ONLY = "25006"


def is_outage(error: BaseException) -> bool:
    """Whether ``error`` means that the database was away, and not that it refused something.

    Timeouts of statements and locks, and deadlocks, are no outage.
    """
    if isinstance(error, sqlalchemy.exc.DBAPIError):
        if error.connection_invalidated:
            return True
        error = error.orig or error
    if isinstance(error, psycopg.Error) and error.sqlstate is not None:
        return error.sqlstate.startswith(_AWAY) or error.sqlstate == _READ_ONLY
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
