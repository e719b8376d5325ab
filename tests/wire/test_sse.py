from itertools import pairwise

import pytest
from hypothesis import example, given, settings, strategies as st

from gateway.errors import UpstreamBroken
from gateway.wire.sse import MAX_FRAME, Splitter, cut_from_data, data_of, has_id, spans_of

LINE_ENDS = [b"\n", b"\r\n", b"\r"]
PIECES = st.sampled_from(
    [b"\n", b"\r", b"\r\n", b"\n\n", b"\r\n\r\n", b"data: a", b"data", b":", b"id: 1", b" ", b"x"]
)


def split(data: bytes, *cuts: int) -> tuple[list[bytes], bytes]:
    splitter = Splitter()
    frames: list[bytes] = []
    bounds = [0, *sorted(cuts), len(data)]
    for low, high in pairwise(bounds):
        frames += splitter.feed(data[low:high])
    return frames, splitter.rest()


@settings(deadline=None)
@given(st.lists(PIECES).map(b"".join), st.lists(st.integers(0, 60)))
@example(b"a\n\n\n\nb\r\r\nc\n\r\rd\r\n\re\n\r\n", [1])
def test_any_split_of_the_bytes_gives_the_same_frames(data: bytes, cuts: list[int]) -> None:
    at_once = split(data)
    dripped = split(data, *range(len(data)))

    assert split(data, *[min(cut, len(data)) for cut in cuts]) == at_once == dripped
    assert b"".join(at_once[0]) + at_once[1] == data


@pytest.mark.parametrize("end", LINE_ENDS)
def test_frames_end_with_an_empty_line_of_any_kind(end: bytes) -> None:
    frames = [b"data: a" + end * 2, b": c" + end + b"data: b" + end + b"data: c" + end * 2]

    found, rest = split(b"".join(frames) + b"data: d" + end)

    assert (found, rest) == (frames, b"data: d" + end)


def test_a_cr_stream_is_not_held_back() -> None:
    assert Splitter().feed(b"data: a\r\r") == [b"data: a\r\r"]


def test_mixed_line_ends_end_a_frame_too() -> None:
    assert split(b"a\r\n\nb\n\r\nc\n\rd") == ([b"a\r\n\n", b"b\n\r\n", b"c\n\r"], b"d")


def test_a_byte_order_mark_stays_in_its_frame() -> None:
    data = b"\xef\xbb\xbfdata: a\n\n"

    assert Splitter().feed(data) == [data]
    assert data_of(data) == b"a"
    assert data_of(b"\xef\xbb\xbf: c\n\n") is None


def test_an_event_may_be_as_large_as_the_limit_and_no_larger() -> None:
    fits = b"data: " + b"x" * (MAX_FRAME - 8) + b"\n\n"

    assert Splitter().feed(fits) == [fits]
    assert Splitter().feed(fits * 2) == [fits, fits]
    with pytest.raises(UpstreamBroken, match="1048576 bytes"):
        Splitter().feed(b"x" + fits)
    with pytest.raises(UpstreamBroken):
        Splitter().feed(b"x" * (MAX_FRAME + 1))


def test_an_endless_line_is_given_up_at_the_limit() -> None:
    splitter = Splitter()
    for _ in range(16):
        splitter.feed(b"x" * (MAX_FRAME // 16))

    with pytest.raises(UpstreamBroken):
        splitter.feed(b"x")


def test_a_large_event_may_come_byte_by_byte() -> None:
    frame = b"data: " + b"x" * 100_000 + b"\n\n"

    frames, rest = split(frame, *range(len(frame)))

    assert frames == [frame]
    assert rest == b""


@pytest.mark.parametrize(
    ("frame", "data"),
    [
        (b"data: x\n\n", b"x"),
        (b"data:x\n\n", b"x"),
        (b"data:  x\n\n", b" x"),
        (b"data: x\r\n\r\n", b"x"),
        (b"data: x\r\r", b"x"),
        (b"data: x\rdata: y\n\n", b"x\ny"),
        (b"data: x\ndata: y\n\n", b"x\ny"),
        (b"\n\ndata: x\n\n", b"x"),
        (b"event: e\nid: 1\ndata: x\nretry: 3\n\n", b"x"),
        (b": c\ndata: x\n: d\n\n", b"x"),
        (b"data\n\n", b""),
        (b"data: \n\n", b""),
        (b"data:\ndata:\n\n", b"\n"),
        (b"data: x:y\n\n", b"x:y"),
        (b"database: x\n\n", None),
        (b" data: x\n\n", None),
        (b": comment\n\n", None),
        (b":\n\n", None),
        (b"event: ping\n\n", None),
        (b"\n\n", None),
        (b"data: x\n", b"x"),
    ],
)
def test_the_data_of_an_event(frame: bytes, data: bytes | None) -> None:
    assert data_of(frame) == data


@pytest.mark.parametrize(
    ("frame", "found"),
    [
        (b"id: 1\ndata: x\n\n", True),
        (b"data: x\nid\n\n", True),
        (b"id:\n\n", True),
        (b'data: {"id": 1}\n\n', False),
        (b"ident: 1\n\n", False),
        (b": id: 1\n\n", False),
    ],
)
def test_an_event_id_is_seen(frame: bytes, found: bool) -> None:
    assert has_id(frame) is found


@settings(deadline=None)
@given(
    st.lists(st.binary(max_size=4).filter(lambda b: not {10, 13} & set(b)), min_size=1, max_size=4),
    st.sampled_from(LINE_ENDS),
    st.sampled_from([b"data: ", b": c\ndata: "]),
    st.data(),
)
def test_cutting_from_an_events_data_cuts_that_and_nothing_else(
    lines: list[bytes], end: bytes, lead: bytes, draw: st.DataObject
) -> None:
    frame = b"".join(lead + line + end for line in lines) + end
    data = b"\n".join(lines)
    low = draw.draw(st.integers(0, len(data)))
    high = draw.draw(st.integers(low, len(data)))

    found = cut_from_data(frame, low, high)

    kept = data[:low] + b"\n" * data[low:high].count(b"\n") + data[high:]
    assert data_of(found) == kept
    assert len(spans_of(found, b"data")) == len(lines)
