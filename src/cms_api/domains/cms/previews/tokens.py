"""Tokens of previews: which one it is, and when it ends, signed."""

import base64
import binascii
import hashlib
import hmac
from datetime import datetime
from uuid import UUID

from cms_api.domains.cms.previews.errors import PreviewExpired, PreviewInvalid

_SIGNATURE_BYTES = 16
_TIME_BYTES = 6


class PreviewTokens:
    """Signs with a key that is good for previews only (HMAC-SHA-256, RFC 2104, cut to 128 bits).

    What a token is of is stored under its id; its end is in it as well, so that one which has expired
    is told from one that was taken back when neither is stored any more.
    """

    def __init__(self, secret: str) -> None:
        # With “previews:”, tokens were signed that named documents: none of them must pass.
        self._key = hashlib.sha256(b"stored previews:" + secret.encode()).digest()

    def seal(self, preview_id: UUID, expires_at: datetime) -> str:
        """The token of a preview; ``expires_at`` is a whole second."""
        payload = int(expires_at.timestamp()).to_bytes(_TIME_BYTES, "big") + preview_id.bytes
        return _encoded(self._sign(payload) + payload)

    def open(self, token: str, now: datetime) -> UUID:
        """The id of a token's preview. Raises `PreviewInvalid`, `PreviewExpired`."""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise PreviewInvalid from None
        signature, payload = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
        # One token, one spelling: Base64 has several.
        if _encoded(raw) != token or not hmac.compare_digest(signature, self._sign(payload)):
            raise PreviewInvalid
        if int.from_bytes(payload[:_TIME_BYTES], "big") <= now.timestamp():
            raise PreviewExpired
        return UUID(bytes=payload[_TIME_BYTES:])

    def _sign(self, payload: bytes) -> bytes:
        return hmac.digest(self._key, payload, "sha256")[:_SIGNATURE_BYTES]


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
