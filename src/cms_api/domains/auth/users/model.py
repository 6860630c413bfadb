"""Users: who may sign in."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from email_validator import EmailNotValidError, validate_email

from cms_api.domains.auth.users.events import UserCreated, UserDeleted, UserUpdated
from cms_api.kernel.errors import invalid
from cms_api.kernel.ids import new_id

# bcrypt looks at the first 72 bytes only (Provos & Mazières 1999); more would be a false promise.
MAX_PASSWORD_BYTES = 72
MIN_PASSWORD_LENGTH = 10

ADMINISTRATOR = "administrator"


def normalise_email(email: str, *, pointer: str = "/email") -> str:
    """The one spelling under which an address is stored and looked up.

    NFC, international domain names decoded, all in lower case: RFC 5321 lets the local part be
    case-sensitive, but no mail system in use takes that liberty and people type as they please.
    Raises `Invalid` where it is no address.
    """
    try:
        return validate_email(email, check_deliverability=False, test_environment=True).normalized.lower()
    except EmailNotValidError as error:
        raise invalid(pointer, "email", str(error)) from None


def check_password(password: str, *, pointer: str = "/password") -> None:
    """Raise `Invalid` unless ``password`` has 10 characters or more, in 72 bytes or fewer."""
    if len(password) < MIN_PASSWORD_LENGTH:
        raise invalid(pointer, "too_short", f"A password has at least {MIN_PASSWORD_LENGTH} characters.")
    if len(password.encode()) > MAX_PASSWORD_BYTES:
        raise invalid(
            pointer, "too_long", f"A password has at most {MAX_PASSWORD_BYTES} bytes, encoded as UTF-8."
        )


@dataclass(slots=True, eq=False, kw_only=True)
class User:
    """Somebody who may sign in. ``email`` is normalised; ``roles`` are role keys."""

    id: UUID
    email: str
    name: str
    password_hash: str = field(repr=False)
    roles: frozenset[str]
    is_active: bool = True
    last_login_at: datetime | None = None
    version: int = 1
    created_at: datetime
    updated_at: datetime

    @classmethod
    def create(
        cls, *, email: str, name: str, password_hash: str, roles: frozenset[str], at: datetime
    ) -> tuple["User", UserCreated]:
        """A new active user."""
        user = cls(
            id=new_id(),
            email=email,
            name=name,
            password_hash=password_hash,
            roles=roles,
            created_at=at,
            updated_at=at,
        )
        return user, UserCreated(subject=user.id)

    @property
    def is_administrator(self) -> bool:
        """Whether the user counts as one of those who can mend everything."""
        return self.is_active and ADMINISTRATOR in self.roles

    def change(
        self,
        *,
        at: datetime,
        email: str,
        name: str,
        is_active: bool,
        roles: frozenset[str],
    ) -> UserUpdated | None:
        """Take the new values; None where nothing is different."""
        old = (self.email, self.name, self.is_active, self.roles)
        new = (email, name, is_active, roles)
        if old == new:
            return None
        names = ("email", "name", "is_active", "roles")
        changed = tuple(n for n, before, after in zip(names, old, new, strict=True) if before != after)
        self.email, self.name, self.is_active, self.roles = new
        self._touch(at)
        return UserUpdated(subject=self.id, changed=changed)

    def set_password(self, password_hash: str, at: datetime) -> UserUpdated:
        """Replace the password."""
        self.password_hash = password_hash
        self._touch(at)
        return UserUpdated(subject=self.id, changed=("password",))

    def signed_in(self, at: datetime) -> None:
        """Remember the moment. It is no edit: the version stays."""
        self.last_login_at = at

    def delete(self) -> UserDeleted:
        """The event of the user's end."""
        return UserDeleted(subject=self.id)

    def _touch(self, at: datetime) -> None:
        self.version += 1
        self.updated_at = at
