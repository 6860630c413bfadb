"""The auth domain over HTTP."""

from litestar.types import ControllerRouterHandler

from cms_api.adapters.http.auth.sessions import SessionController
from cms_api.adapters.http.auth.users import UserController, list_permissions, list_roles

ROUTES: list[ControllerRouterHandler] = [SessionController, UserController, list_roles, list_permissions]
