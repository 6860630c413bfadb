"""What can be wrong with a request about menus."""

from cms_api.kernel.errors import Conflict, NotFound


class MenuItemNotFound(NotFound):
    """No item of this menu has this id."""

    code = "menu_item_not_found"
    title = "There is no such item"

    def __init__(self) -> None:
        super().__init__("There is no such item in this menu.")


class MenuKeyTaken(Conflict):
    """Another menu of the same language has this key."""

    code = "menu_key_taken"
    title = "The key is taken"

    def __init__(self, key: str) -> None:
        super().__init__(f"Another menu of this language has the key “{key}”.", key=key)
