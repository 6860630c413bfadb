"""What can be wrong with a preview."""

from cms_api.kernel.errors import Forbidden


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
