"""What the auth routes take and give."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from cms_api.adapters.http.schemas import Email, Name, View, Wire
from cms_api.domains.auth.api import MAX_PASSWORD_BYTES, MIN_PASSWORD_LENGTH, SignedIn, UserView
from cms_api.kernel.errors import invalid

# As the schema counts characters and bcrypt bytes, the service has the last word on length.
NewPassword = Annotated[
    str,
    Meta(
        min_length=MIN_PASSWORD_LENGTH,
        max_length=MAX_PASSWORD_BYTES,
        description="10 characters or more, in at most 72 bytes of UTF-8.",
        extra_json_schema={"format": "password", "writeOnly": True},
    ),
]
Password = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_PASSWORD_BYTES,
        description="At most 72 bytes of UTF-8.",
        extra_json_schema={"format": "password", "writeOnly": True},
    ),
]
RoleKeys = Annotated[tuple[str, ...], Meta(max_length=20, description="Keys of roles.")]


class Login(Wire, frozen=True, kw_only=True):
    """Credentials."""

    email: Email
    password: Password

    def __post_init__(self) -> None:
        if len(self.password.encode()) > MAX_PASSWORD_BYTES:
            detail = f"A password has at most {MAX_PASSWORD_BYTES} bytes, encoded as UTF-8."
            raise invalid("/password", "too_long", detail)


class Refresh(Wire, frozen=True, kw_only=True):
    """A refresh token, to be exchanged."""

    refresh_token: Annotated[str, Meta(min_length=1, max_length=200, extra_json_schema={"writeOnly": True})]


class PasswordChange(Wire, frozen=True, kw_only=True):
    """The own password, replaced."""

    current_password: Password
    new_password: NewPassword


class NewUser(Wire, frozen=True, kw_only=True):
    """A user to be made."""

    email: Email
    name: Name
    password: NewPassword
    roles: RoleKeys = ()


class UserPatch(Wire, frozen=True, kw_only=True):
    """A user's new values; what is left out stays."""

    email: Email | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    password: NewPassword | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET
    roles: RoleKeys | UnsetType = UNSET


class Authentication(View, frozen=True, kw_only=True):
    """Who signed in, and the tokens to go on with; ``expires_in`` is in seconds."""

    user: UserView
    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of the scheme
    expires_in: int

    @classmethod
    def of(cls, signed_in: SignedIn) -> "Authentication":
        """The wire form."""
        return cls(user=signed_in.user, **msgspec.structs.asdict(signed_in.tokens))


class Me(View, frozen=True, kw_only=True):
    """The signed-in user, with what she may do."""

    user: UserView
    roles: list[str]
    permissions: list[str]
