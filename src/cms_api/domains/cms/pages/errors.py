"""What can be wrong with the place of a page."""

from cms_api.kernel.errors import Conflict


class NoRoom(Conflict):
    """Too many siblings would need another order: give some of them one with gaps, then try again."""

    code = "no_room"
    title = "There is no room between the siblings"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"More than {limit} siblings would need another order: give some of them a menu_order with gaps first.",
            limit=limit,
        )
