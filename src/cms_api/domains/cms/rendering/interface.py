"""The service that renders anew what is live."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from cms_api.kernel.actor import Actor
from cms_api.kernel.unit_of_work import UnitOfWork


class RenderingService(ABC):
    """Live copies, brought to the current version of the renderer."""

    @abstractmethod
    async def rerender(
        self,
        actor: Actor,
        new_uow: Callable[[], UnitOfWork],
        *,
        progress: Callable[[int], None] | None = None,
    ) -> int:
        """Render all live copies that an older version has rendered; how many there were.

        Some at a time, each in a unit of work of its own: it may be stopped, and goes on where it
        was. Needs ``settings:write``. ``progress`` is told how many there are so far.
        """
