"""What an image costs in tokens, from its size, and its size from its first bytes.

Nothing here fetches anything: a size is read from the header of a `data:` URL (PNG, JPEG, GIF,
WebP), and an image that only its server could describe counts as the largest there is.

Two published formulas, named by the catalog:

- TILES (gpt-4.1): low detail 85; else fit 2048×2048, then the shorter side to 768, and
  85 + 170 for each 512×512 tile. The largest image has 8 tiles.
- PATCHES (gpt-4.1-mini ×1.62, -nano ×2.46): patches of 32×32, times the multiplier. The rule of
  2025 allowed 1,536 patches; the guide of 2026 fits the image into 2048×2048 and allows 6,144, so
  at most 4,096. Which one an account is billed by is not published: the larger is counted, which
  makes it an upper bound. `detail` made no difference to what was measured.
"""

import math
from binascii import Error as Base64Error, a2b_base64

from gateway.call import ImageSize
from gateway.catalog import ImageFormula, Model

UNKNOWN = (0, 0)

HEADER_BASE64 = 48 * 1024
"""Characters decoded of a data URL: a photograph's embedded preview fits before its size."""

SEGMENTS = 256
"""JPEG segments looked through; a real header has a dozen."""

FIT = 2048
SHORT_SIDE = 768
TILE = 512
TILE_TOKENS = 170
BASE_TOKENS = 85
WORST_TILES = 8
PATCH = 32

_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BARE_MARKERS = frozenset((0x01, *range(0xD0, 0xD8)))


def tokens(model: Model, image: ImageSize) -> int:
    """How many prompt tokens an image is for a model, at most."""
    if model.image_formula is ImageFormula.TILES:
        return _tiles(image)
    # Rounded first: 100 × 1.1 must not become 111 through a binary fraction.
    return math.ceil(round(_patches(image) * model.image_multiplier, 6))


def size_of(url: str, *, low: bool = False) -> ImageSize:
    """An image's size from its URL; zeros unless it is a `data:` URL with a header we can read."""
    width, height = _pixels(_head(url))
    if not (width and height):
        width, height = UNKNOWN
    return ImageSize(width, height, low)


def _tiles(image: ImageSize) -> int:
    if image.low:
        return BASE_TOKENS
    short, long = sorted((image.width, image.height))
    if short <= 0:
        return BASE_TOKENS + TILE_TOKENS * WORST_TILES
    # Two fits in a row are the smaller of the two scales; whole numbers keep the edges exact.
    over, under = (1, 1) if long <= FIT else (FIT, long)
    if short * over > SHORT_SIDE * under:
        over, under = SHORT_SIDE, short
    across = -(-long * over // (under * TILE))
    down = -(-short * over // (under * TILE))
    return BASE_TOKENS + TILE_TOKENS * across * down


def _patches(image: ImageSize) -> int:
    short, long = sorted((image.width, image.height))
    if short <= 0:
        return (FIT // PATCH) ** 2
    over, under = (1, 1) if long <= FIT else (FIT, long)
    return -(-long * over // (under * PATCH)) * -(-short * over // (under * PATCH))


def _head(url: str) -> bytes:
    """The first bytes of what a `data:` URL holds; nothing for any other URL."""
    if url[:5].lower() != "data:":
        return b""
    comma = url.find(",", 0, 256)
    if comma < 0 or not url[:comma].lower().endswith(";base64"):
        return b""
    try:
        return a2b_base64(url[comma + 1 : comma + 1 + HEADER_BASE64])
    except (Base64Error, ValueError):
        return b""


def _pixels(head: bytes) -> tuple[int, int]:
    if head.startswith(b"\x89PNG\r\n\x1a\n") and len(head) >= 24:
        return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    if head.startswith(b"\xff\xd8"):
        return _jpeg(head)
    if head.startswith((b"GIF87a", b"GIF89a")) and len(head) >= 10:
        return int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP" and len(head) >= 30:
        return _webp(head)
    return UNKNOWN


def _jpeg(head: bytes) -> tuple[int, int]:
    """Walk the segments to the first frame header."""
    at = 2
    for _ in range(SEGMENTS):
        if at + 9 > len(head) or head[at] != 0xFF:
            break
        marker = head[at + 1]
        if marker in _FRAME_HEADERS:
            height = int.from_bytes(head[at + 5 : at + 7], "big")
            return int.from_bytes(head[at + 7 : at + 9], "big"), height
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker in _BARE_MARKERS:
            at += 2
        else:
            at += 2 + int.from_bytes(head[at + 2 : at + 4], "big")
    return UNKNOWN


def _webp(head: bytes) -> tuple[int, int]:
    kind = head[12:16]
    if kind == b"VP8X":
        width, height = head[24:27], head[27:30]
        return int.from_bytes(width, "little") + 1, int.from_bytes(height, "little") + 1
    if kind == b"VP8L" and head[20] == 0x2F:
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
        width, height = head[26:28], head[28:30]
        return int.from_bytes(width, "little") & 0x3FFF, int.from_bytes(height, "little") & 0x3FFF
    return UNKNOWN
