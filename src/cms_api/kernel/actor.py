"""Who acts, and what they may do."""

from uuid import UUID

import msgspec

from cms_api.kernel.errors import Forbidden, Unauthenticated


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever asks for something: a signed-in user, the system itself, or nobody known.

    ``permissions`` are the effective ones, names like ``documents:publish``. Each domain
    defines its own names; the actor only carries them. ``roles`` are the keys of the user's roles.
    """

    user_id: UUID | None = None
    session_id: UUID | None = None
    permissions: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    is_system: bool = False

    def may(self, permission: str) -> bool:
        """Whether the actor holds ``permission``."""
        return self.is_system or permission in self.permissions

    def require(self, permission: str) -> None:
        """Raise `Unauthenticated` for nobody, `Forbidden` for somebody without ``permission``."""
        if self.may(permission):
            return
        self.require_known()
        raise Forbidden(f"This needs the permission “{permission}”.", permission=permission)

    def require_known(self) -> None:
        """Raise `Unauthenticated` for nobody."""
        if self.user_id is None and not self.is_system:
            raise Unauthenticated

    def require_user(self) -> UUID:
        """The id of the user. Raises `Unauthenticated` for nobody and for the system, which are none."""
        if self.user_id is None:
            raise Unauthenticated
        return self.user_id

    def owns(self, created_by: UUID | None) -> bool:
        """Whether the actor is the user who made something."""
        return created_by is not None and created_by == self.user_id


ANONYMOUS = Actor()
SYSTEM = Actor(is_system=True)
