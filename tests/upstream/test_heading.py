"""The head of a request, without a network."""

import pytest

from gateway.errors import InvalidValue, UpstreamUnreachable
from gateway.upstream.heading import Heading, Origin, header_lines
from tests.upstream.far_end import KEY, a_deployment


def head(base_url: str, path: str = "/chat/completions", key: str = KEY) -> list[bytes]:
    written = Heading(a_deployment(base_url, key=key)).write(path, (), 7)
    assert written.endswith(b"\r\n\r\n")
    return written[:-4].split(b"\r\n")


@pytest.mark.parametrize(
    ("base_url", "first", "host"),
    [
        ("https://api.openai.com/v1", b"POST /v1/x HTTP/1.1", b"api.openai.com"),
        ("https://api.openai.com:443/v1/", b"POST /v1/x HTTP/1.1", b"api.openai.com"),
        ("http://HOST:8000", b"POST /x HTTP/1.1", b"host:8000"),
        ("http://[::1]:80", b"POST /x HTTP/1.1", b"[::1]"),
        ("http://h:443/a?v=1", b"POST /a/x?v=1 HTTP/1.1", b"h:443"),
        ("https://me:secret@h/v1", b"POST /v1/x HTTP/1.1", b"h"),
    ],
)
def test_an_address_becomes_a_request_line_and_a_host(
    base_url: str, first: bytes, host: bytes
) -> None:
    lines = head(base_url, "/x")

    assert lines[0] == first
    assert b"host: " + host in lines
    assert not any(b"secret" in line for line in lines)


def test_a_path_with_a_query_keeps_it_before_the_address_s_own() -> None:
    assert head("http://h/v1?api=2", "/x?beta=true")[0] == b"POST /v1/x?beta=true&api=2 HTTP/1.1"


def test_without_a_key_nothing_is_said_of_one() -> None:
    assert not any(line.startswith(b"authorization") for line in head("http://h", key=""))


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "h/v1",
        "ftp://h/v1",
        "http:///v1",
        "http://h:port/v1",
        "http://h:99999/v1",
        "http://h/a b",
        "http://h/ü",
        "http://h\r\nx: y/",
        f"http://{'a' * 64}.example/",
    ],
)
def test_an_address_that_cannot_be_used_is_not_quoted(base_url: str) -> None:
    with pytest.raises(UpstreamUnreachable) as told:
        Heading(a_deployment(base_url))

    assert told.value.message == "deployment 'far' has no usable address"


@pytest.mark.parametrize("key", ["sk\r\nx: y", "schlüssel", "two words"])
def test_a_key_that_no_header_can_hold_is_not_quoted(key: str) -> None:
    with pytest.raises(UpstreamUnreachable) as told:
        Heading(a_deployment("http://h", key=key))

    assert key not in repr(told.value)


@pytest.mark.parametrize("path", ["", "x", "/a b", "/a\r\nb", "/\u00fc", "/\0"])
def test_a_path_that_no_request_line_can_hold_is_refused(path: str) -> None:
    with pytest.raises(InvalidValue):
        head("http://h", path)


@pytest.mark.parametrize("value", [b"a\nb", b"a\rb", b"a\r\nb", b"a\0b"])
@pytest.mark.parametrize("in_name", [False, True])
def test_a_header_cannot_hold_a_line_break(value: bytes, in_name: bool) -> None:
    with pytest.raises(InvalidValue):
        header_lines((((value, b"x") if in_name else (b"x", value)),))


def test_a_caller_s_header_replaces_a_default_and_never_what_is_ours() -> None:
    lines = header_lines(
        (
            (b"accept", b"text/event-stream"),
            (b"Authorization", b"Bearer mine"),
            (b"host", b"evil"),
            (b"content-length", b"1"),
            (b"transfer-encoding", b"chunked"),
            (b"accept-encoding", b"br"),
            (b"connection", b"close"),
            (b"x-twice", b"1"),
            (b"x-twice", b"2"),
        )
    ).split(b"\r\n")

    assert lines[0] == b"content-type: application/json"
    assert lines[1].startswith(b"user-agent: tiergate/")
    assert lines[2:] == [b"accept: text/event-stream", b"x-twice: 1", b"x-twice: 2", b""]


def test_origins_are_equal_when_they_share_connections() -> None:
    one = Heading(a_deployment("https://H/v1")).origin
    other = Heading(a_deployment("https://h:443/v2", "other")).origin

    assert one == other == Origin(secure=True, host="h", port=443)
