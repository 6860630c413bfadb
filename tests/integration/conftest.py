"""What tests on a real database share."""

from collections.abc import AsyncIterator

import pytest
from litestar import Litestar
from tests.integration.hearing import hearing

from cms_api.adapters.http.caching import ResponseCache
from cms_api.bootstrap.container import Application


@pytest.fixture
async def cache(app: Litestar, application: Application) -> AsyncIterator[ResponseCache]:
    """The application's cache, while it hears of changes."""
    del app
    async with hearing(application) as found:
        yield found
