"""What can be wrong with a request about readers' comments."""

from cms_api.domains.cms.reader_comments.rates import Allowance, Rate
from cms_api.kernel.errors import Conflict, NotFound, TooMany


class ReaderCommentNotFound(NotFound):
    """No comment of a reader has this id."""

    code = "reader_comment_not_found"
    title = "There is no such comment"

    def __init__(self) -> None:
        super().__init__("There is no comment with this id.")


class CommentsClosed(Conflict):
    """Readers may not comment on this document, or no longer."""

    code = "comments_closed"
    title = "Comments are closed"

    def __init__(self) -> None:
        super().__init__("Comments on this document are closed.")


class SaidAlready(Conflict):
    """The same author has said the same about the same document within the last hour."""

    code = "duplicate_comment"
    title = "You have said this already"
    keeps_changes = True  # saying it again and again counts towards the limit

    def __init__(self) -> None:
        super().__init__("You have said exactly this here within the last hour.")


class NothingToRestore(Conflict):
    """Only what is in the trash, or was taken for spam, can be restored."""

    code = "nothing_to_restore"
    title = "The comment is not in the trash"

    def __init__(self) -> None:
        super().__init__("The comment is neither in the trash nor spam.")


class TooManyComments(TooMany):
    """More comments from one address, or one e-mail address, than are taken in that time."""

    code = "too_many_comments"
    title = "You are commenting too often"

    def __init__(self, rate: Rate, standing: Allowance) -> None:
        super().__init__(
            f"You can comment again in {standing.retry_after} seconds.",
            policy="comments",
            limit=rate.number,
            window=rate.seconds,
            remaining=0,
            reset=standing.reset,
            retry_after=standing.retry_after,
        )
