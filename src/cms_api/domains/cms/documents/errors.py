"""What can be wrong with a request about documents."""

from collections.abc import Iterable

import msgspec

from cms_api.kernel.errors import Conflict, NotFound


class DocumentNotFound(NotFound):
    """No document of this type has this id, or it is not the caller's to know of."""

    code = "document_not_found"
    title = "There is no such document"

    def __init__(self) -> None:
        super().__init__("There is no such document.")


class SlugTaken(Conflict):
    """Another document, author or term has this slug."""

    code = "slug_taken"
    title = "The slug is taken"

    def __init__(self, slug: str) -> None:
        super().__init__(f"The slug “{slug}” is taken here.", slug=slug)


class AddressTaken(Conflict):
    """Another live document still has the address: publish that one's change, or unpublish it, first."""

    code = "address_taken"
    title = "The public address is taken"

    def __init__(self, path: str) -> None:
        super().__init__(f"Another published document still has the address “{path}”.", path=path)


class Trashed(Conflict):
    """The document is in the trash: restore it first."""

    code = "trashed"
    title = "The document is in the trash"

    def __init__(self) -> None:
        super().__init__("The document is in the trash: restore it first.")


class NotTrashed(Conflict):
    """Only what is in the trash can be restored."""

    code = "not_trashed"
    title = "The document is not in the trash"

    def __init__(self) -> None:
        super().__init__("The document is not in the trash.")


class Archived(Conflict):
    """The document is archived: take it out of the archive first."""

    code = "archived"
    title = "The document is archived"

    def __init__(self) -> None:
        super().__init__("The document is archived: take it out of the archive first.")


class NotArchived(Conflict):
    """Only what is archived can be taken out of the archive."""

    code = "not_archived"
    title = "The document is not archived"

    def __init__(self) -> None:
        super().__init__("The document is not archived.")


class RevisionNotFound(NotFound):
    """The document has no such revision, or has it no longer."""

    code = "revision_not_found"
    title = "There is no such revision"

    def __init__(self) -> None:
        super().__init__("The document has no such revision.")


class NotPublished(Conflict):
    """There is no live copy to take away."""

    code = "not_published"
    title = "The document is not published"

    def __init__(self) -> None:
        super().__init__("The document is not published.")


class HasChildren(Conflict):
    """Other pages or categories hang below it: move or remove those first."""

    code = "has_children"
    title = "Something hangs below it"

    def __init__(self, number: int) -> None:
        super().__init__(f"{number} others hang below it: move or remove them first.", children=number)


class InUse(Conflict):
    """Documents point at it: take it off them first. The first of them are named as `referrers`."""

    code = "in_use"
    title = "It is in use"

    def __init__(self, number: int, referrers: Iterable[msgspec.Struct] = ()) -> None:
        super().__init__(
            f"{number} {'documents use' if number > 1 else 'document uses'} it: take it off first.",
            documents=number,
            referrers=[msgspec.to_builtins(one) for one in referrers],
        )


class Busy(Conflict):
    """Somebody has just made another document point at it: try again."""

    code = "busy"
    title = "Something else is changing"

    def __init__(self) -> None:
        super().__init__("Another document has just begun to point at it: try again.")


class NotApproved(Conflict):
    """Its workflow lets it be published at certain stages only: move it there first."""

    code = "not_approved"
    title = "The document is not approved"

    def __init__(self, stages: list[str]) -> None:
        names = ", ".join(f"“{stage}”" for stage in stages)
        super().__init__(f"It may be published at these stages only: {names}.", stages=stages)


class NoSuchTransition(Conflict):
    """The workflow does not lead from the document's stage to that one, or is off."""

    code = "no_such_transition"
    title = "There is no such transition"

    def __init__(self, source: str | None, to: str) -> None:
        detail = f"No transition leads from “{source}” to “{to}”." if source else "The workflow is off."
        super().__init__(detail, stage=source)
