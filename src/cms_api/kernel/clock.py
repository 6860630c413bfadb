"""Time, as a port: what decides by the clock is handed one."""

from abc import ABC, abstractmethod
from datetime import UTC, datetime


class Clock(ABC):
    """Tells the time in UTC."""

    @abstractmethod
    def now(self) -> datetime:
        """The current time, aware and in UTC."""


class SystemClock(Clock):
    """The clock of the machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)
