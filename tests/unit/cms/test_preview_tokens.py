"""What previews are signed with."""

import base64
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cms_api.domains.cms.previews.errors import PreviewExpired, PreviewInvalid
from cms_api.domains.cms.previews.tokens import PreviewTokens

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TOKENS = PreviewTokens("a secret for tests, 32 bytes long")


@given(documents=st.lists(st.uuids(), max_size=50))
def test_a_token_says_what_it_is_of_until_it_ends(documents: list[UUID]) -> None:
    token = TOKENS.seal(documents, NOW)
    assert TOKENS.open(token, NOW - SECOND) == tuple(documents)
    for late in (NOW, NOW + SECOND):
        with pytest.raises(PreviewExpired):
            TOKENS.open(token, late)


@given(bit=st.integers(min_value=0), documents=st.lists(st.uuids(), min_size=1, max_size=3))
def test_a_changed_token_is_none(bit: int, documents: list[UUID]) -> None:
    token = TOKENS.seal(documents, NOW)
    raw = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    raw[bit // 8 % len(raw)] ^= 1 << bit % 8
    with pytest.raises(PreviewInvalid):
        TOKENS.open(base64.urlsafe_b64encode(bytes(raw)).decode().rstrip("="), NOW - SECOND)


@given(text=st.text(max_size=60))
def test_other_texts_are_none(text: str) -> None:
    with pytest.raises(PreviewInvalid):
        TOKENS.open(text, NOW)


def test_another_secret_signs_otherwise() -> None:
    with pytest.raises(PreviewInvalid):
        PreviewTokens("another secret").open(TOKENS.seal([], NOW + SECOND), NOW)
