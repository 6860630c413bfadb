"""Optimistic concurrency: a change names the version that it was made from."""

from cms_api.kernel.errors import Stale


def check_version(current: int, expected: int | None) -> None:
    """Raise `Stale` unless ``expected`` is ``current``, or None: “last write wins”."""
    if expected is not None and expected != current:
        raise Stale(
            f"You changed version {expected}, but version {current} is the current one.",
            current_version=current,
        )
