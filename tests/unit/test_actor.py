"""Who acts."""

from uuid import uuid4

import pytest

from cms_api.kernel.actor import ANONYMOUS, SYSTEM, Actor
from cms_api.kernel.errors import Forbidden, Unauthenticated


def test_who_is_known() -> None:
    user = Actor(user_id=uuid4(), permissions=frozenset({"read"}))
    for actor in (user, SYSTEM):
        actor.require_known()
        actor.require("read")
    with pytest.raises(Forbidden):
        user.require("write")
    for refused in (ANONYMOUS.require_known, lambda: ANONYMOUS.require("read")):
        with pytest.raises(Unauthenticated, match="signed-in user"):
            refused()


def test_what_is_somebodys_needs_a_user() -> None:
    user = Actor(user_id=uuid4())
    assert user.require_user() == user.user_id
    for nobody in (ANONYMOUS, SYSTEM):
        with pytest.raises(Unauthenticated, match="signed-in user"):
            nobody.require_user()
