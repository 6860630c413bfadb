"""Why a sign-in, or a token, is refused."""

from cms_api.kernel.errors import Forbidden, NotFound, Unauthenticated


class WrongCredentials(Unauthenticated):
    """Address or password are wrong; which of them stays untold."""

    code = "wrong_credentials"
    title = "The e-mail address or the password is wrong"

    def __init__(self) -> None:
        super().__init__("No user has this e-mail address and this password.")


class UserInactive(Forbidden):
    """The password is right, but the user may not sign in."""

    code = "user_inactive"
    title = "The user is deactivated"

    def __init__(self) -> None:
        super().__init__("This user has been deactivated by an administrator.")


class InvalidToken(Unauthenticated):
    """An access or refresh token that is malformed, forged, expired or revoked."""

    code = "invalid_token"
    title = "The token is not valid"


class TokenReused(InvalidToken):
    """A refresh token was presented twice: one of the two had stolen it, so the session ends."""

    code = "token_reused"
    title = "The refresh token was used before"
    keeps_changes = True

    def __init__(self) -> None:
        super().__init__("This refresh token was used before, so its session has been ended. Sign in again.")


class UserGone(Forbidden):
    """The user in whose name something was to happen was deactivated or deleted meanwhile."""

    code = "user_gone"
    title = "The user may no longer act"

    def __init__(self) -> None:
        super().__init__("The user in whose name this was to happen has been deactivated or deleted.")


class SessionNotFound(NotFound):
    """No session of the actor has this id."""

    code = "session_not_found"
    title = "There is no such session"

    def __init__(self) -> None:
        super().__init__("You have no session with this id.")
