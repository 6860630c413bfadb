"""What can be wrong with a request about editorial comments."""

from cms_api.kernel.errors import Conflict, NotFound


class CommentNotFound(NotFound):
    """No comment of this document has this id."""

    code = "comment_not_found"
    title = "There is no such comment"

    def __init__(self) -> None:
        super().__init__("There is no such comment on this document.")


class NotAThread(Conflict):
    """A reply is neither open nor resolved: the comment that it replies to is."""

    code = "not_a_thread"
    title = "A reply can't be resolved"

    def __init__(self) -> None:
        super().__init__("This is a reply: resolve or reopen the comment that it replies to.")


class HasReplies(Conflict):
    """Others have replied, and their replies would go too: resolve the thread, or let a moderator delete it."""

    code = "has_replies"
    title = "Others have replied"

    def __init__(self, number: int) -> None:
        super().__init__(
            f"{number} replies of others would go too: resolve the thread, or let a moderator delete it.",
            replies=number,
        )
