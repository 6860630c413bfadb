"""The door of the auth domain: what HTTP and other domains may use."""

from cms_api.domains.auth.roles.interface import GRANTABLE, ROLES, PermissionView, RoleService, RoleView
from cms_api.domains.auth.sessions.errors import InvalidToken, UserGone
from cms_api.domains.auth.sessions.interface import (
    SESSIONS,
    IdentityService,
    SessionService,
    SessionView,
    SignedIn,
    Tokens,
)
from cms_api.domains.auth.users.interface import (
    USERS,
    UserChanges,
    UserService,
    UserSummary,
    UserView,
)
from cms_api.domains.auth.users.model import MAX_PASSWORD_BYTES, MIN_PASSWORD_LENGTH
from cms_api.domains.auth.users.policy import PERMISSIONS

__all__ = [
    "GRANTABLE",
    "MAX_PASSWORD_BYTES",
    "MIN_PASSWORD_LENGTH",
    "PERMISSIONS",
    "ROLES",
    "SESSIONS",
    "USERS",
    "IdentityService",
    "InvalidToken",
    "PermissionView",
    "RoleService",
    "RoleView",
    "SessionService",
    "SessionView",
    "SignedIn",
    "Tokens",
    "UserChanges",
    "UserGone",
    "UserService",
    "UserSummary",
    "UserView",
]
