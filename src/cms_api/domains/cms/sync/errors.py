"""What can be wrong with following changes."""

from cms_api.kernel.errors import Gone


class SyncTokenExpired(Gone):
    """The token is from before deletions that are forgotten by now, or before the database was restored."""

    code = "sync_token_expired"
    title = "The token is too old to go on from"

    def __init__(self) -> None:
        super().__init__("Nothing can be told for sure from this token on: start anew, without a token.")
