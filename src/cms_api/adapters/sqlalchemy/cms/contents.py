"""How contents are kept: compressed, and told as a difference from one that is kept whole."""

import sys
from typing import NamedTuple

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# A difference is taken while it is at most this part of the whole. Saves that change one line each
# make differences that grow with every save, so that the sum is least near this point (ADR 18).
WORTHWHILE = 10
LEVEL = 9
# zstd's own floor for what it may refer to.
_SHORTEST_BASE = 8
_WINDOW_LOGS = (17, 27)


class Packed(NamedTuple):
    """A content as it is stored; ``is_whole`` where it can be read by itself."""

    data: bytes
    is_whole: bool


def pack(content: bytes, base: bytes | None) -> Packed:
    """``content`` compressed: as what differs from ``base`` where that pays, else whole."""
    whole = _compressed(content)
    if base is None or len(base) < _SHORTEST_BASE:
        return Packed(whole, is_whole=True)
    difference = _compressed(content, base)
    if len(difference) * WORTHWHILE > len(whole):
        return Packed(whole, is_whole=True)
    return Packed(difference, is_whole=False)


def unpack(data: bytes, base: bytes | None) -> bytes:
    """The content of ``data``; ``base`` is what it differs from, unpacked, or None where it is whole."""
    prefix = None if base is None else zstd.ZstdDict(base, is_raw=True).as_prefix
    return zstd.ZstdDecompressor(zstd_dict=prefix).decompress(data)


def _compressed(content: bytes, base: bytes | None = None) -> bytes:
    parameter = zstd.CompressionParameter
    # The window must reach over the whole base, or what lies behind it can't be referred to.
    span = (len(content) + len(base or b"")).bit_length()
    options: dict[int, int] = {
        parameter.compression_level: LEVEL,
        parameter.window_log: min(max(span, _WINDOW_LOGS[0]), _WINDOW_LOGS[1]),
        parameter.checksum_flag: 1,
    }
    prefix = None if base is None else zstd.ZstdDict(base, is_raw=True).as_prefix
    compressor = zstd.ZstdCompressor(options=options, zstd_dict=prefix)
    return compressor.compress(content, zstd.ZstdCompressor.FLUSH_FRAME)
