"""Every setting, read once from the environment into one frozen struct."""

import re
import types
import typing
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

PREFIX = "CMS_"
_AGE = re.compile(r"[a-z-]{1,50}=[0-9]{1,8}(\+[0-9]{1,8})?")
# An address to which a path can be added, and an origin as browsers write it (RFC 6454, section 6.2), in which an
# asterisk stands for anything.
_PUBLIC_URL = re.compile(
    r"https?://([^\s/?#@:\[\]]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[^\s?#]*)?", re.IGNORECASE
)
_ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://([a-z0-9._*-]+|\[[0-9a-f:.]+\])(:([0-9]{1,5}|\*))?")
# Read by the tests, and by commands for an option of their own; no settings.
FOREIGN_PREFIXES = ("CMS_TEST_", "CMS_USER_")


class SettingsError(Exception):
    """One or more variables are unknown or malformed; the message names them all."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The configuration. The field ``data_dir`` is the variable ``CMS_DATA_DIR``, and so on.

    Times are in seconds and sizes in bytes.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535)] = 8000
    workers: Annotated[int, Meta(ge=1, le=256)] = 1
    data_dir: Path = Path(".cms")
    database_url: str | None = None
    public_url: str | None = None
    admin_email: str | None = None
    admin_password: Annotated[str, Meta(min_length=10)] | None = None
    secret_key: Annotated[str, Meta(min_length=32)] | None = None
    access_token_ttl: Annotated[int, Meta(ge=30, le=86_400)] = 900
    refresh_token_ttl: Annotated[int, Meta(ge=300, le=31_536_000)] = 2_592_000
    bcrypt_rounds: Annotated[int, Meta(ge=4, le=16)] = 12
    default_locale: Annotated[str, Meta(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$(?!\n)")] = "en"
    max_body_bytes: Annotated[int, Meta(ge=1024)] = 1_048_576
    max_upload_bytes: Annotated[int, Meta(ge=1024)] = 67_108_864
    lock_ttl: Annotated[int, Meta(ge=10, le=3600)] = 60
    cache_max_age: Annotated[int, Meta(ge=0, le=31_536_000)] = 0
    cache_max_ages: tuple[str, ...] = ("feeds=300", "sitemaps=3600", "robots=3600")
    cache_size: Annotated[int, Meta(ge=0)] = 67_108_864
    cors_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    comment_rate: Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,3}/[1-9][0-9]{0,3}[smhd]$(?!\n)")] | None = (
        "5/10m"
    )
    background: bool = True
    job_concurrency: Annotated[int, Meta(ge=1, le=32)] = 2
    job_retention: Annotated[int, Meta(ge=60, le=315_360_000)] = 2_592_000
    sync_retention: Annotated[int, Meta(ge=86_400, le=315_360_000)] = 7_776_000
    pool_size: Annotated[int, Meta(ge=1, le=100)] = 8
    max_streams: Annotated[int, Meta(ge=1, le=100_000)] = 1_000
    query_cost_limit: Annotated[int, Meta(ge=10, le=1_000_000)] = 300
    statement_timeout: Annotated[int, Meta(ge=1, le=3600)] = 15
    shutdown_timeout: Annotated[int, Meta(ge=1, le=600)] = 20
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["console", "json"] = "console"

    @property
    def listens_at(self) -> str:
        """The address that it answers at, as far as it can know by itself."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def media_dir(self) -> Path:
        """Where uploaded files are kept."""
        return self.data_dir / "media"

    def __repr__(self) -> str:
        """Without secrets: a settings object may end up in a log."""
        hidden = {"admin_password", "secret_key", "database_url"}
        shown = (
            f"{name}={'…' if name in hidden and value is not None else repr(value)}"
            for name, value in ((n, getattr(self, n)) for n in self.__struct_fields__)
        )
        return f"Settings({', '.join(shown)})"


def variable(field: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + field.upper()


def _parse(raw: str, wanted: Any) -> Any:
    """``raw`` as ``wanted``; lists are separated by commas. Raises `msgspec.ValidationError`."""
    if typing.get_origin(wanted) is tuple:
        return tuple(part.strip() for part in raw.split(",") if part.strip())
    if wanted is Path:
        return Path(raw)
    if wanted is not str and typing.get_origin(wanted) in (typing.Union, types.UnionType) and raw == "":
        return None
    return msgspec.convert(raw, wanted, strict=False)


def load(environment: Mapping[str, str]) -> Settings:
    """The settings that ``environment`` gives, defaults for the rest.

    Raises `SettingsError` that names every unknown or malformed ``CMS_…`` variable at once,
    without repeating a value: some are secrets.
    """
    hints = typing.get_type_hints(Settings, include_extras=True)
    known = {variable(field): field for field in Settings.__struct_fields__}
    faults: list[str] = []
    values: dict[str, Any] = {}
    for name, raw in sorted(environment.items()):
        if not name.startswith(PREFIX) or name.startswith(FOREIGN_PREFIXES):
            continue
        field = known.get(name)
        if field is None:
            nearest = get_close_matches(name, known, n=1)
            faults.append(
                f"{name}: there is no such setting{f', did you mean {nearest[0]}?' if nearest else '.'}"
            )
            continue
        try:
            values[field] = _parse(raw, hints[field])
        except msgspec.ValidationError as error:
            faults.append(f"{name}: {error}.")
    faults += _broken_rules(values)
    if faults:
        raise SettingsError("The configuration has faults:\n  " + "\n  ".join(faults))
    return Settings(**values)


def _broken_rules(values: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with values that are of the right types."""
    if "database_url" in values and not str(values["database_url"] or "postgresql:").startswith(
        ("postgresql:", "postgres:")
    ):
        yield "CMS_DATABASE_URL: expected a URL that begins with postgresql://."
    if not _PUBLIC_URL.fullmatch(values.get("public_url") or "http://localhost"):
        yield "CMS_PUBLIC_URL: expected a URL like https://cms.example.org."
    if not all(_ORIGIN.fullmatch(origin) for origin in values.get("cors_origins", ())):
        yield "CMS_CORS_ORIGINS: expected origins like https://app.example.org, in lower case and without a path, or *."
    for network in values.get("trusted_proxies", ()):
        try:
            ip_network(network)
        except ValueError:
            yield "CMS_TRUSTED_PROXIES: expected addresses or networks like 10.0.0.0/8."
            break
    if not all(_AGE.fullmatch(age) for age in values.get("cache_max_ages", ())):
        yield "CMS_CACHE_MAX_AGES: expected pairs like posts=60,feeds=300+3600, in seconds."
    if ("admin_email" in values) != ("admin_password" in values) and "admin_password" in values:
        yield "CMS_ADMIN_PASSWORD: needs CMS_ADMIN_EMAIL beside it."
