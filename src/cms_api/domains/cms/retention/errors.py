"""What can be wrong with a request about retention."""

from cms_api.kernel.errors import NotFound


class PolicyNotFound(NotFound):
    """There is no content type with this key."""

    code = "type_not_found"
    title = "There is no such content type"

    def __init__(self) -> None:
        super().__init__("There is no such content type.")
