"""Who may do what with documents."""

from uuid import UUID

from cms_api.kernel.actor import Actor

READ = "documents:read"
CREATE = "documents:create"
EDIT = "documents:edit"
PUBLISH = "documents:publish"
ARCHIVE = "documents:archive"
DELETE = "documents:delete"
PURGE = "documents:purge"

PERMISSIONS: dict[str, str] = {
    READ: "See all documents, drafts and trash included.",
    CREATE: "Begin documents.",
    EDIT: "Change any document.",
    f"{EDIT}_own": "Change documents of one's own.",
    PUBLISH: "Publish and unpublish any document.",
    f"{PUBLISH}_own": "Publish and unpublish documents of one's own.",
    ARCHIVE: "Put any document into the archive and take it out.",
    f"{ARCHIVE}_own": "Put documents of one's own into the archive and take them out.",
    DELETE: "Put any document into the trash and take it out.",
    f"{DELETE}_own": "Put documents of one's own into the trash and take them out.",
    PURGE: "Delete documents in the trash for good.",
}


def require(actor: Actor, permission: str, *, owners: frozenset[UUID]) -> None:
    """Raise unless the actor may do it with any document, or with one of her own and is among ``owners``."""
    if actor.user_id in owners and actor.may(f"{permission}_own"):
        return
    actor.require(permission)
