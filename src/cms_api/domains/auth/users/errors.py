"""What can be wrong with a request about users."""

from cms_api.kernel.errors import Conflict, Invalid, NotFound


class UserNotFound(NotFound):
    """No user has this id."""

    code = "user_not_found"
    title = "There is no such user"

    def __init__(self) -> None:
        super().__init__("No user has this id.")


class EmailTaken(Conflict):
    """Another user has this address."""

    code = "email_taken"
    title = "The e-mail address is taken"

    def __init__(self) -> None:
        super().__init__("Another user has this e-mail address.")


class LastAdministrator(Conflict):
    """The change would leave nobody who can manage users."""

    code = "last_administrator"
    title = "The last administrator must stay"

    def __init__(self) -> None:
        super().__init__("This user is the last active administrator: make another one first.")


class WrongCurrentPassword(Invalid):
    """The password that was to be replaced is another one."""

    code = "wrong_password"
    title = "The current password is wrong"
