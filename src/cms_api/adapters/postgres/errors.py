"""Why the embedded server does not run."""


class EmbeddedPostgresError(Exception):
    """The embedded server can't be had; the sentence says why and what helps."""


class NoBinaries(EmbeddedPostgresError):
    """There is no PostgreSQL on this machine."""


class DataDirectoryBusy(EmbeddedPostgresError):
    """Another process uses the data directory."""


class WrongVersion(EmbeddedPostgresError):
    """The data were made by another major version."""


class StartFailed(EmbeddedPostgresError):
    """The server, or the making of its data directory, failed."""
