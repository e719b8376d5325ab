"""Compressed bodies are read in bounded steps."""

import gzip
import zlib

import pytest

from gateway.errors import UpstreamBroken
from gateway.wire.encoding import decoded

PLAIN = b'{"choices": []}' * 100
LIMIT = 10_000


@pytest.mark.parametrize("encoding", [b"", b"identity"])
def test_what_is_not_compressed_is_itself(encoding: bytes) -> None:
    assert decoded(PLAIN, encoding, LIMIT) is PLAIN


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzip.compress(PLAIN, mtime=0), b"gzip"),
        (gzip.compress(PLAIN, mtime=0), b"x-gzip"),
        (zlib.compress(PLAIN), b"deflate"),
    ],
)
def test_gzip_and_deflate_are_read(body: bytes, encoding: bytes) -> None:
    assert decoded(body, encoding, LIMIT) == PLAIN


@pytest.mark.parametrize(
    ("body", "encoding", "says"),
    [
        (PLAIN, b"br", "nobody asked for"),
        (b"no gzip", b"gzip", "cannot be read"),
        (gzip.compress(PLAIN, mtime=0)[:-9], b"gzip", "cut, or larger"),
        (gzip.compress(b"0" * 10_000_000, mtime=0), b"gzip", "cut, or larger"),
    ],
)
def test_what_is_odd_cut_or_a_bomb_is_refused(body: bytes, encoding: bytes, says: str) -> None:
    with pytest.raises(UpstreamBroken, match=says):
        decoded(body, encoding, LIMIT)
