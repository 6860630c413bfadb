"""Tokens of previews: when they end, and of what they are, signed."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from cms_api.domains.cms.previews.errors import PreviewExpired, PreviewInvalid

_SIGNATURE_BYTES = 16
_TIME_BYTES = 6
_ID_BYTES = 16


class PreviewTokens:
    """Signs with a key that is good for previews only (HMAC-SHA-256, RFC 2104, cut to 128 bits)."""

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(b"previews:" + secret.encode()).digest()

    def seal(self, documents: Sequence[UUID], expires_at: datetime) -> str:
        """The token of a preview; ``expires_at`` is a whole second."""
        when = int(expires_at.timestamp()).to_bytes(_TIME_BYTES, "big")
        payload = when + b"".join(document.bytes for document in documents)
        return _encoded(self._sign(payload) + payload)

    def open(self, token: str, now: datetime) -> tuple[UUID, ...]:
        """The documents of a token. Raises `PreviewInvalid`, `PreviewExpired`."""
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
        ids = payload[_TIME_BYTES:]
        return tuple(UUID(bytes=ids[at : at + _ID_BYTES]) for at in range(0, len(ids), _ID_BYTES))

    def _sign(self, payload: bytes) -> bytes:
        return hmac.digest(self._key, payload, "sha256")[:_SIGNATURE_BYTES]


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
