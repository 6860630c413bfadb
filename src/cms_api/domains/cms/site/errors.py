"""What can be wrong with a change of the settings, beside their values."""

from collections.abc import Iterable
from uuid import UUID

from cms_api.kernel.errors import Conflict


class AddressesTaken(Conflict):
    """Live posts would be where others are: move those, or give the posts other slugs. The first are `examples`."""

    code = "addresses_taken"
    title = "Public addresses are taken"

    def __init__(self, path: str, number: int, examples: Iterable[UUID]) -> None:
        noun = "posts" if number > 1 else "post"
        super().__init__(
            f"With “{path}”, {number} {noun} would be where others are.",
            path=path,
            documents=number,
            examples=[str(one) for one in examples],
        )
