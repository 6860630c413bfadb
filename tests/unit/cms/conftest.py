"""What tests of several services work with: the fakes together, and an import into them."""

from collections.abc import Awaitable
from typing import Protocol

import pytest
from tests.fakes_cms import FakeCms, ListSource

from cms_api.domains.cms.imports.interface import ImportReport
from cms_api.domains.cms.imports.source import SourceItem, SourceSite
from cms_api.kernel.actor import SYSTEM, Actor

SITE = SourceSite(url="https://old.example", title="Old")


class Run(Protocol):
    """Imports items of a site."""

    def __call__(
        self, *items: SourceItem, fetch: bool = False, actor: Actor = SYSTEM, key: str = "old.example"
    ) -> Awaitable[ImportReport]:
        """Tell how it went."""


@pytest.fixture
def cms() -> FakeCms:
    return FakeCms()


@pytest.fixture
def run(cms: FakeCms) -> Run:
    async def work(
        *items: SourceItem, fetch: bool = False, actor: Actor = SYSTEM, key: str = "old.example"
    ) -> ImportReport:
        report: ImportReport = await cms.imports.run(
            actor,
            ListSource(SITE, *items, key=key),
            new_uow=cms.uow,
            fetch_files=fetch,
            progress=lambda _: None,
        )
        return report

    return work
