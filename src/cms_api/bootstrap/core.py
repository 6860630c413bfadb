"""What all domains are built on: settings, clock, database, hashing, storage."""

from collections.abc import Callable, Mapping
from typing import Any

import structlog
from dependency_injector.containers import DeclarativeContainer
from dependency_injector.providers import Dependency, Factory, Object, Singleton
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from cms_api.adapters.http.caching import ResponseCache
from cms_api.adapters.security.hasher import BcryptHasher
from cms_api.adapters.sqlalchemy.auth import REPOSITORIES as AUTH
from cms_api.adapters.sqlalchemy.changes import ChangeListener
from cms_api.adapters.sqlalchemy.cms import REPOSITORIES as CMS
from cms_api.adapters.sqlalchemy.cms.sync import SqlChangeSignal
from cms_api.adapters.sqlalchemy.engine import make_engine, make_sessions
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.adapters.sqlalchemy.unit_of_work import SqlAlchemyUnitOfWork
from cms_api.adapters.storage.local import LocalStorage
from cms_api.bootstrap.jobs import REPOSITORIES as JOBS
from cms_api.kernel.clock import SystemClock
from cms_api.settings import Settings

ADAPTERS: Mapping[type, Callable[[AsyncSession], Any]] = {**AUTH, **CMS, **JOBS}


def _reader(settings: Settings) -> Reader:
    return Reader(
        _url(settings),
        size=settings.pool_size,
        statement_timeout=settings.statement_timeout,
        service=settings.public_url,
        default_locale=settings.default_locale,
    )


def _engine(settings: Settings) -> AsyncEngine:
    return make_engine(_url(settings), size=settings.pool_size, statement_timeout=settings.statement_timeout)


def _url(settings: Settings) -> str:
    if settings.database_url is None:
        raise LookupError("The application needs a database URL: `cms serve` finds or starts one.")
    return settings.database_url


class CoreContainer(DeclarativeContainer):
    """Singletons of the process, and a unit of work for each call."""

    settings: Dependency[Settings] = Dependency(instance_of=Settings)
    clock = Singleton(SystemClock)
    reader = Singleton(_reader, settings)
    engine = Singleton(_engine, settings)
    sessions = Singleton(make_sessions, engine)
    cache = Singleton(ResponseCache, limit=settings.provided.cache_size)
    unit_of_work = Factory(SqlAlchemyUnitOfWork, sessions, ADAPTERS, witness=cache)
    change_signal = Singleton(SqlChangeSignal, reader)
    change_listener = Singleton(
        ChangeListener,
        settings.provided.database_url,
        hearer=cache,
        wake=change_signal.provided.wake,
        log=Object(structlog.get_logger("cms.changes")),
    )
    hasher = Singleton(BcryptHasher, rounds=settings.provided.bcrypt_rounds)
    storage = Singleton(LocalStorage, settings.provided.media_dir)
