"""What happens to the settings of the site."""

from typing import ClassVar
from uuid import UUID

from cms_api.kernel.events import Event

# There is one site, and it has this id: the subject of events, and the tag of what is cached of it.
SITE_ID = UUID("3c1a9d52-6f0b-4c1e-8a57-0b2f4d6e9a10")


class SettingsUpdated(Event, frozen=True, kw_only=True):
    """Settings were changed: the fields ``changed``, with dots, like ``seo.noindex``."""

    name: ClassVar[str] = "settings.updated"

    version: int
    changed: tuple[str, ...]
