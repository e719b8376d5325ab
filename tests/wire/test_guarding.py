"""A form that passes is understood in one way, or not at all."""

from typing import Any

import httpx
import pytest
from hypothesis import given, strategies as st

from gateway.errors import InvalidValue
from gateway.wire.guarding import Guard, guard
from gateway.wire.stored import Refers

LINE = "a-Line"
FIELD = 'Content-Disposition: form-data; name="file_id"\r\n\r\nfile-A'


def form(*parts: str, end: str = "--\r\n") -> bytes:
    """A form of these parts, each with its head."""
    return "".join(f"--{LINE}\r\n{part}\r\n" for part in parts).encode() + f"--{LINE}{end}".encode()


def said(name: str, value: str, more: str = "") -> str:
    return f'Content-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}'


def read(data: bytes, *, piece: int = 0) -> Refers:
    """What a form refers to, read in pieces."""
    seen, step = Guard(LINE.encode()), piece or len(data)
    found = [seen.see(data[at : at + step]) for at in range(0, len(data), step)]
    must = tuple(name for each in found for name in each.must)
    return Refers(must, tuple(name for each in found for name in each.within))


@pytest.mark.parametrize(
    ("name", "value", "must", "may"),
    [
        ("file_id", "file-A", ["file-A"], []),
        ("FILE_ID", " file-A\r\n", ["file-A"], []),
        ("file_ids[]", "file-A", ["file-A"], []),
        ("file_ids[0]", "file-A", ["file-A"], []),
        ("input_reference[file_id]", "file-A", ["file-A"], []),
        ("input_reference.file_id", "file-A", ["file-A"], []),
        ("consent", "cons_1", ["cons_1"], []),
        ("video[id]", "video_1", [], ["video_1"]),
        ("some_new_id", "x-1", [], ["x-1"]),
        ("model", "ft:gpt-4.1:acme", [], ["ft:gpt-4.1:acme"]),
        ("model", "whisper-1", [], []),
        ("file_id", "auto", [], []),
        ("input_reference", '{"file_id":"file-A"}', ["file-A"], []),
        ("video", '{"id":"video_1"}', [], ["video_1"]),
        ("file_ids", '["file-A","file-B"]', ["file-A", "file-B"], []),
        ("session", '{"tools":[{"vector_store_ids":["vs_1"]}]}', ["vs_1"], []),
        ("prompt", "[verse] file_id", [], []),
        ("prompt", "{not json", [], []),
        ("prompt", "my file_id is file-A", [], []),
        ("purpose", "", [], []),
    ],
)
def test_a_field_refers_by_its_name_or_by_what_it_holds(
    name: str, value: str, must: list[str], may: list[str]
) -> None:
    data = form(said("purpose", "x"), said(name, value), said("prompt", "y"))

    found = read(data)

    assert (list(found.must), list(found.within)) == (must, may)
    assert read(data, piece=1) == found


def test_a_file_may_hold_anything() -> None:
    inside = f"{FIELD}\r\n--another\r\n{FIELD}\r\n\r\n" * 90
    file = said("file", inside, '; filename="a b.txt"').replace(
        "\r\n\r\n", "\r\nContent-Type: text/plain\r\n\r\n", 1
    )

    for piece in (0, 7, 1024):
        assert read(form(file, said("purpose", "x")), piece=piece) == Refers()


@given(st.integers(1, 64), st.binary(max_size=80))
def test_it_does_not_matter_how_a_form_is_split(piece: int, content: bytes) -> None:
    head = f"--{LINE}\r\n{said('file', '', '; filename=x')}".encode()
    data = head + content + b"\r\n" + form(FIELD, said("video[id]", "video_1"))

    assert read(data, piece=piece) == Refers(("file-A",), ("video_1",))


@pytest.mark.parametrize(
    "data",
    [
        b"preamble\r\n" + form(FIELD),
        form(FIELD, end="--\r\nmore"),
        form(FIELD, end="--more"),
        form(FIELD, end=" --\r\n"),
        form(FIELD).replace(b"\r\n", b"\n"),
        form(said("x", f"1\n--{LINE}\n{FIELD}")),
        form(said("x", f"1\r\n--{LINE} \r\n{FIELD}")),
        form(said("x", f"1--{LINE}")),
        form(said("file", f"1\n--{LINE}\n{FIELD}", "; filename=x")),
        form("\r\nfile-A"),
        form("X: y\r\n\r\nfile-A"),
        form("no colon\r\n\r\nfile-A"),
        form('Content-Disposition: form-data; filename="x"\r\n\r\nfile-A'),
        form("Content-Disposition: form-data; name*=utf-8''file_id\r\n\r\nfile-A"),
        form('Content-Disposition: form-data; name="a"; name="file_id"\r\n\r\nfile-A'),
        form('Content-Disposition: attachment; name="file_id"\r\n\r\nfile-A'),
        form('Content-Disposition: form-data; name="file\\_id"\r\n\r\nfile-A'),
        form('Content-Disposition : form-data; name="file_id"\r\n\r\nfile-A'),
        form('Content-Disposition: form-data;\r\n name="file_id"\r\n\r\nfile-A'),
        form('Content-Disposition: form-data; name="x"\r\nContent-Disposition: a\r\n\r\nfile-A'),
        form('Content-Disposition: form-data; name="x"\nA: form-data; name="file_id"\r\n\r\nA'),
        form(said("file_id", "file-A", '; filename="x"')),
        form(said("input[file_id]", "file-A", "; filename=x")),
        form(
            said("x", "ZmlsZQ==").replace(
                "\r\n\r\n", "\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            )
        ),
        form(
            said("x", "y").replace(
                "\r\n\r\n", "\r\nContent-Type: text/plain; charset=utf-16\r\n\r\n"
            )
        ),
        form(f"X: {'y' * 5000}\r\n{FIELD}"),
        form("y" * 5000),
        form(said("prompt", "y" * 300_000)),
        form(said("x", '{"file_id":"a","file_id":"b"}')),
    ],
)
@pytest.mark.parametrize("piece", [0, 3])
def test_a_form_that_servers_could_read_in_two_ways_is_refused(data: bytes, piece: int) -> None:
    if len(data) > 9_000:
        piece *= 1_000

    with pytest.raises(InvalidValue):
        read(data, piece=piece)


def test_what_has_an_empty_file_name_is_a_field() -> None:
    assert read(form(said("file_id", "file-A", '; filename=""'))).must == ("file-A",)


@pytest.mark.parametrize(
    "kind",
    [
        b"multipart/form-data",
        b"multipart/form-data; boundary=",
        b"multipart/form-data; boundary=a; boundary=b",
        b"multipart/form-data; charset=utf-16; boundary=a",
        b"multipart/mixed; boundary=a",
        b'multipart/form-data; boundary="a\\"b"',
    ],
)
def test_a_boundary_is_plain(kind: bytes) -> None:
    with pytest.raises(InvalidValue):
        guard(kind)


def test_what_clients_send_is_plain() -> None:
    files: Any = {"file": ('ä "b".txt', b"\x00\r\n--x", "text/plain"), "image": b"x"}
    sent = httpx.Request("POST", "http://x", data={"file_id": "file-A"}, files=files)
    by_client = guard(sent.headers["content-type"].encode())

    assert by_client.see(sent.read()) == Refers(("file-A",))
    assert guard(b'multipart/form-data; boundary="a-Line"').see(form(FIELD)).must == ("file-A",)
