"""What can be wrong with a redirect, beside its fields."""

from typing import Any

from cms_api.domains.cms.redirects.model import Redirect
from cms_api.kernel.errors import Conflict


def _members(other: Redirect) -> dict[str, Any]:
    return {"redirect": {"id": str(other.id), "kind": other.match, "source": other.source}}


class RedirectTaken(Conflict):
    """Another redirect of this kind leads from this path already: change that one."""

    code = "redirect_taken"
    title = "The path is redirected already"

    def __init__(self, source: str, other: Redirect | None = None) -> None:
        members = {} if other is None else _members(other)
        super().__init__(f"Another redirect leads from “/{source}” already.", **members)


class RedirectChain(Conflict):
    """One redirect would lead to another: let the first one lead to where the second one does."""

    code = "redirect_chain"
    title = "Redirects would make a chain"

    def __init__(self, other: Redirect, *, is_behind: bool) -> None:
        where = f"from “/{other.source}”" + (" and below" if other.match == "prefix" else "")
        detail = (
            f"It would lead to what another redirect leads away, {where}."
            if is_behind
            else f"Another redirect, {where}, leads to what this one would lead away."
        )
        super().__init__(detail, **_members(other))
