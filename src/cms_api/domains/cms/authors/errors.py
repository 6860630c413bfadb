"""What can be wrong with a request about authors."""

from cms_api.kernel.errors import Conflict


class UserHasAuthor(Conflict):
    """A user writes under one byline."""

    code = "user_has_author"
    title = "The user has an author profile already"

    def __init__(self) -> None:
        super().__init__("Another author profile is linked to this user.")
