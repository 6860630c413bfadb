"""Who may do what with editorial comments; seeing them takes ``documents:read``."""

from uuid import UUID

from cms_api.kernel.actor import Actor

WRITE = "comments:write"
MODERATE = "comments:moderate"

PERMISSIONS: dict[str, str] = {
    WRITE: "Comment on documents, resolve threads, and change comments of one's own.",
    MODERATE: "Change and delete anybody's comments.",
}


def require_own(actor: Actor, author_id: UUID) -> None:
    """Raise unless the actor wrote it and may still write, or may moderate."""
    if actor.user_id == author_id and actor.may(WRITE):
        return
    actor.require(MODERATE)
