"""What can be wrong with a preview."""

from cms_api.kernel.errors import Forbidden, NotFound


class PreviewInvalid(Forbidden):
    """The preview's token is none that was given out here, or was changed."""

    code = "preview_invalid"
    title = "This is no preview"

    def __init__(self) -> None:
        super().__init__("The preview's token is none of ours, or was changed.")


class PreviewExpired(Forbidden):
    """The preview's time is over: whoever gave out its token may make another."""

    code = "preview_expired"
    title = "The preview has expired"

    def __init__(self) -> None:
        super().__init__("The preview's time is over: ask for another.")


class PreviewTokenRevoked(Forbidden):
    """The preview was taken back before its time: whoever gave out its token may make another."""

    code = "preview_revoked"
    title = "The preview was taken back"

    def __init__(self) -> None:
        super().__init__("The preview was taken back: ask for another.")


class PreviewNotFound(NotFound):
    """No preview that still holds has this id, or it is somebody else's."""

    code = "preview_not_found"
    title = "There is no such preview"

    def __init__(self) -> None:
        super().__init__("There is no preview with this id that still holds.")
