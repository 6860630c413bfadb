"""The service of imports."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from cms_api.domains.cms.imports.source import ContentSource
from cms_api.kernel.actor import Actor
from cms_api.kernel.unit_of_work import UnitOfWork

RUN = "imports:run"
PERMISSIONS = {RUN: "Import content from other systems."}

# Every skipped item is counted; of this many the reason is told one by one.
NOTES_KEPT = 1_000


@dataclass(slots=True)
class Tally:
    """What became of the items of one kind."""

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0


@dataclass(slots=True)
class ImportReport:
    """What an import did. ``unplaced`` counts what there is no place for here yet, by kind."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    unplaced: Counter[str] = field(default_factory=Counter)
    notes: list[tuple[str, str]] = field(default_factory=list)
    """What, and why: items that were skipped, or are not as they were."""
    more_notes: int = 0

    def of(self, kind: str) -> Tally:
        """The tally of a kind."""
        return self.tallies.setdefault(kind, Tally())

    def note(self, what: str, why: str) -> None:
        """Remember a reason."""
        if len(self.notes) < NOTES_KEPT:
            self.notes.append((what, why))
        else:
            self.more_notes += 1


class ImportService(ABC):
    """Takes over the content of another system."""

    @abstractmethod
    async def run(
        self,
        actor: Actor,
        source: ContentSource,
        *,
        new_uow: Callable[[], UnitOfWork],
        fetch_files: bool,
        progress: Callable[[float], None],
    ) -> ImportReport:
        """Import everything that ``source`` holds, each item in a unit of work of its own.

        Needs ``imports:run``. Run again, it changes nothing but what has changed there since;
        documents and menus that were changed here are left alone. A broken item is noted and skipped.
        ``progress`` hears the share done, 0 to 1. Raises `SourceError` where the source can't be
        read to its end; what came before is in.
        """
