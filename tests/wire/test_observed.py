"""What is read along of a reply that passes does not depend on how it is split."""

import pytest

from gateway.wire.observed import ANY_END, ENDINGS, Endings, Observed

DONE = b'event: response.created\ndata: {}\n\nevent: response.completed\ndata: {"a":1}\n\n'
CUT = b'event: response.created\ndata: {"text":"event: response.completed"}\n\n'
PAINTED = b'data: {"type":"image_generation.completed"}\n\n'
# It quotes an ending.
HEARD = rb"""data: {"type":"transcript.text.delta","delta":"\"transcript.text.done\""}

"""


def seen(data: bytes, step: int, endings: Endings = ANY_END) -> Observed:
    observed = Observed(endings)
    for at in range(0, len(data), step):
        observed.see(data[at : at + step])
    return observed


@pytest.mark.parametrize("step", [1, 7, 1000])
@pytest.mark.parametrize(
    ("area", "data", "ended"),
    [
        ("responses", DONE, True),
        ("responses", CUT, False),
        ("completions", b"data: {}\n\ndata: [DONE]\n\n", True),
        ("completions", b"data: [DONE]\n\n", True),
        ("completions", b'data: {"text":"data: [DONE]"}\n\n', False),
        ("images", b'data: {"type":"image_edit.partial_image"}\n\n', False),
        ("images", b'data: {"type":"image_edit.partial_image"}\n\n' + PAINTED, True),
        ("images", b'data: {"choices":[]}\n\n', True),
        ("audio", HEARD, False),
        ("audio", HEARD + b'data: {"type":"transcript.text.done","text":"a"}\n\n', True),
        ("audio", HEARD + b'data: {"error":{"message":"no"}}\n\n', True),
        ("threads", b"event: thread.run.created\ndata: {}\n\n", False),
        ("threads", b"event: thread.run.created\ndata: {}\n\nevent: done\n", True),
    ],
)
def test_a_stream_that_ends_is_told_from_one_that_is_cut(
    step: int, area: str, data: bytes, ended: bool
) -> None:
    assert seen(data, step, ENDINGS[area]).ended is ended


@pytest.mark.parametrize("step", [1, 1000, 1 << 20])
def test_the_last_count_of_a_stream_is_found(step: int) -> None:
    filler = b'data: {"x":"' + b"y" * 300_000 + b'"}\n\n'
    count = b'data: {"usage": {"input_tokens":3,"input_tokens_details":{"cached_tokens":1}}}\n\n'

    found = seen(count.replace(b"3", b"9") + filler + count, step if step > 1 else 977).usage()

    assert found is not None
    assert (found.prompt, found.cached, found.completion) == (3, 1, 0)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{", b'{"usage":3}', b'{"usage":{"prompt_tokens":-1}}', b'x"usage":{a}']
)
def test_what_states_no_count_states_none(data: bytes) -> None:
    assert seen(data, 3).usage() is None
