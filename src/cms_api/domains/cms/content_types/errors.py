"""What can be wrong with a request about content types."""

from typing import Any
from uuid import UUID

from cms_api.kernel.errors import Conflict, NotFound


class TypeNotFound(NotFound):
    """No content type has this key."""

    code = "content_type_not_found"
    title = "There is no such content type"

    def __init__(self, key: str) -> None:
        super().__init__(f"There is no content type “{key[:100]}”.")


class TypeTaken(Conflict):
    """Another content type has this key."""

    code = "content_type_taken"
    title = "The key is taken"

    def __init__(self, key: str) -> None:
        super().__init__(f"There is a content type “{key}” already.", key=key)


class PathTaken(Conflict):
    """The live documents of another content type have addresses of this pattern."""

    code = "path_taken"
    title = "The path is taken"

    def __init__(self, path: str) -> None:
        super().__init__(f"Another content type has the path “{path}”.", path=path)


class TypeChanged(Conflict):
    """The content type was changed while the request ran: try again."""

    code = "content_type_changed"
    title = "The content type has just been changed"

    def __init__(self) -> None:
        super().__init__("The content type has just been changed: try again.")


class TypeMigrating(Conflict):
    """Documents still follow the last change of the type: wait for its job, or start it again if it is over."""

    code = "content_type_migrating"
    title = "The last change of the type is still under way"

    def __init__(self, job_id: UUID, *, is_over: bool) -> None:
        detail = (
            "The job by which documents follow the last change of this type has ended before its time: "
            "start it again."
            if is_over
            else "Documents still follow the last change of this type."
        )
        super().__init__(detail, job_id=str(job_id), is_over=is_over)


class NothingToMigrate(Conflict):
    """All documents of the type have followed its last change."""

    code = "nothing_to_migrate"
    title = "There is nothing left to do"

    def __init__(self) -> None:
        super().__init__("All documents of this type have followed its last change.")


class UnsafeChange(Conflict):
    """The change would lose something: `plan` has it all, and what may be said about it in `resolutions`."""

    code = "unsafe_change"
    title = "The change would lose something"

    def __init__(self, detail: str, plan: Any) -> None:
        super().__init__(detail, plan=plan)


class TypeInUse(Conflict):
    """Documents of the type are there, those in the trash included, or fields of other types name it."""

    code = "content_type_in_use"
    title = "The content type is in use"

    def __init__(self, documents: int, types: tuple[str, ...]) -> None:
        named = f", and {', '.join(types)} may point at it" if types else ""
        super().__init__(
            f"{documents} documents are of this type{named}.", documents=documents, types=list(types)
        )


class SingletonExists(Conflict):
    """A singleton has one document for each language."""

    code = "singleton_exists"
    title = "The document is there already"

    def __init__(self) -> None:
        super().__init__("This type has one document for each language, and it is there already.")


class ValueTaken(Conflict):
    """Another document has this value in a unique field."""

    code = "value_taken"
    title = "The value is taken"

    def __init__(self, key: str) -> None:
        super().__init__(f"Another document has this value in “{key}”.", field=key)


class TranslationExists(Conflict):
    """The document has a translation in this language."""

    code = "translation_exists"
    title = "There is such a translation"

    def __init__(self, locale: str) -> None:
        super().__init__(f"There is a translation in “{locale}” already.", locale=locale)
