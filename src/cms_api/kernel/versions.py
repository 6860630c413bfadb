"""Optimistic concurrency: a change names the version that it was made from."""

from cms_api.kernel.errors import Stale


def stale_detail(current: int, expected: int) -> str:
    """What to tell somebody who has another version in mind; one below 0 is no version at all."""
    if expected < 0:
        return f"The tag that you sent is not one of this resource; version {current} is the current one."
    return f"You changed version {expected}, but version {current} is the current one."


def check_version(current: int, expected: int | None) -> None:
    """Raise `Stale` unless ``expected`` is ``current``, or None: “last write wins”."""
    if expected is not None and expected != current:
        raise Stale(
            stale_detail(current, expected),
            current_version=current,
        )
