"""The request, as controllers see it."""

from typing import Any

from litestar import Request
from litestar.datastructures import State

from cms_api.kernel.actor import Actor

ApiRequest = Request[Actor, Any, State]
