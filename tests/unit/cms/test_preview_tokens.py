"""What previews are signed with."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cms_api.domains.cms.previews.errors import PreviewExpired, PreviewInvalid
from cms_api.domains.cms.previews.tokens import PreviewTokens

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SECRET = "a secret for tests, 32 bytes long"
TOKENS = PreviewTokens(SECRET)


@given(preview=st.uuids())
def test_a_token_says_which_preview_it_is_until_that_ends(preview: UUID) -> None:
    token = TOKENS.seal(preview, NOW)
    assert len(token) == 51
    assert TOKENS.open(token, NOW - SECOND) == preview
    for late in (NOW, NOW + SECOND):
        with pytest.raises(PreviewExpired):
            TOKENS.open(token, late)


@given(bit=st.integers(min_value=0), preview=st.uuids())
def test_a_changed_token_is_none(bit: int, preview: UUID) -> None:
    token = TOKENS.seal(preview, NOW)
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
        PreviewTokens("another secret").open(TOKENS.seal(UUID(int=1), NOW + SECOND), NOW)


def test_tokens_that_named_their_documents_are_none() -> None:
    """One that named a single document has the very form of those that name a preview."""
    payload = int((NOW + SECOND).timestamp()).to_bytes(6, "big") + UUID(int=1).bytes
    key = hashlib.sha256(b"previews:" + SECRET.encode()).digest()
    raw = hmac.digest(key, payload, "sha256")[:16] + payload
    with pytest.raises(PreviewInvalid):
        TOKENS.open(base64.urlsafe_b64encode(raw).decode().rstrip("="), NOW)
