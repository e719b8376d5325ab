import base64
import struct

import pytest
from hypothesis import given, strategies as st

from gateway.call import ImageSize
from gateway.catalog import ImageFormula, Model
from gateway.classify import images
from gateway.money import FREE
from gateway.prices import Price

PRICE = Price(FREE, FREE, FREE)
FULL = Model("full", PRICE, 1_000_000, 32_768)
MINI = Model(
    "mini", PRICE, 1_000_000, 32_768, image_formula=ImageFormula.PATCHES, image_multiplier=1.62
)
NANO = Model(
    "nano", PRICE, 1_000_000, 32_768, image_formula=ImageFormula.PATCHES, image_multiplier=2.46
)


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height) + b"\x08\x02\0\0\0"


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\0\0\0"


def jpeg(width: int, height: int, before: bytes = b"", frame: int = 0xC2) -> bytes:
    exif = b"\xff\xe1" + struct.pack(">H", 2 + 6) + b"Exif\0\0"
    head = bytes((0xFF, frame)) + struct.pack(">HBHH", 17, 8, height, width)
    return b"\xff\xd8" + exif + before + head + b"\x03" + bytes(9)


def webp(kind: bytes, chunk: bytes) -> bytes:
    return b"RIFF\0\0\0\0WEBP" + kind + b"\0\0\0\0" + chunk + bytes(12)


def data_url(content: bytes, mime: str = "image/png") -> str:
    return f"data:{mime};base64,{base64.b64encode(content).decode()}"


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (2400, 1800, 765),
        (1024, 1024, 765),
        (128, 64, 255),
        (512, 512, 255),
        (513, 512, 425),
        (2048, 4096, 1105),
        (1, 100_000, 765),
        (0, 0, 1445),
    ],
)
def test_tiles_are_counted_as_published(width: int, height: int, expected: int) -> None:
    assert images.tokens(FULL, ImageSize(width, height)) == expected
    assert images.tokens(FULL, ImageSize(height, width)) == expected
    assert images.tokens(FULL, ImageSize(width, height, low=True)) == 85


@pytest.mark.parametrize(
    ("width", "height", "mini", "nano"),
    [
        (128, 64, 13, 20),
        (1024, 1024, 1659, 2520),
        (4000, 1474, 2489, 3779),
        (0, 0, 6636, 10077),
        (4096, 4096, 6636, 10077),
    ],
)
def test_patches_are_counted_by_the_larger_rule(
    width: int, height: int, mini: int, nano: int
) -> None:
    assert images.tokens(MINI, ImageSize(width, height)) == mini
    assert images.tokens(NANO, ImageSize(width, height, low=True)) == nano


@given(width=st.integers(1, 20_000), height=st.integers(1, 20_000))
def test_no_image_costs_more_than_an_unknown_one(width: int, height: int) -> None:
    for model in (FULL, MINI, NANO):
        assert images.tokens(model, ImageSize(width, height)) <= images.tokens(
            model, ImageSize(0, 0)
        )


@pytest.mark.parametrize(
    "content",
    [
        png(640, 480),
        gif(640, 480),
        jpeg(640, 480),
        jpeg(640, 480, before=b"\xff\xff\xff\xd0\xff\x01", frame=0xC0),
        webp(b"VP8X", bytes(4) + (639).to_bytes(3, "little") + (479).to_bytes(3, "little")),
        webp(b"VP8L", b"\x2f" + (639 | 479 << 14).to_bytes(4, "little")),
        webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 640, 480)),
    ],
    ids=["png", "gif", "jpeg", "jpeg with fill", "webp", "webp lossless", "webp lossy"],
)
def test_a_size_is_read_from_the_header(content: bytes) -> None:
    assert images.size_of(data_url(content)) == ImageSize(640, 480)
    assert images.size_of(data_url(content).replace("data:image", "DATA:image")).width == 640
    assert images.size_of(data_url(content), low=True) == ImageSize(640, 480, low=True)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://example.com/cat.png",
        "data:image/png;base64",
        "data:image/png,rawbytes",
        "data:image/png;base64,A",
        "data:image/png;base64,é",
        data_url(b"BM not one of ours"),
        data_url(png(640, 480)[:20]),
        data_url(gif(640, 480)[:8]),
        data_url(jpeg(640, 480)[:14]),
        data_url(b"\xff\xd8 no marker here"),
        data_url(b"\xff\xd8" + b"\xff\xe0\x00\x02" * 400 + b"\xff\xc0"),
        data_url(webp(b"VP8?", b"")),
        data_url(png(0, 480)),
    ],
)
def test_what_cannot_be_read_is_unknown_and_nothing_is_fetched(url: str) -> None:
    assert images.size_of(url) == ImageSize(0, 0)


@given(
    content=st.binary(max_size=80),
    start=st.sampled_from([png(1, 1), jpeg(1, 1), gif(1, 1), webp(b"VP8X", b"")]),
)
def test_any_bytes_give_a_size(content: bytes, start: bytes) -> None:
    for length in range(0, len(start), 3):
        size = images.size_of(data_url(start[:length] + content))
        assert size.width >= 0
        assert size.height >= 0


def test_a_size_behind_an_endless_preview_is_not_looked_for() -> None:
    preview = b"\xff\xe1\xff\xff" + bytes(0xFFFD)

    assert images.size_of(data_url(jpeg(640, 480, before=preview))) == ImageSize(0, 0)
