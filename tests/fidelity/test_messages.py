"""What is said in Anthropic's words arrives as the same words, and comes back so.

Messages are translated, so their bytes cannot be equal: their values must be, numbers as far as
64 bits hold them.
"""

import json
from itertools import pairwise
from typing import Any

import pytest

from tests.fidelity.asked import MEMBERS
from tests.fidelity.streamed import TEXTS, end, word
from tests.fidelity.world import JSON, Got, Said, World, events, whole

FIELDS = (*JSON, ("anthropic-version", "2023-06-01"))
# Members that an object has once, in any spelling, without numbers of more than 64 bits.
OBJECTS = {
    name: f"{{{member}}}"
    for name, member in MEMBERS.items()
    if not name.startswith(("same key", "stream", "seed")) and "digits" not in name
}
WORDS = [text for text in TEXTS if text.startswith('"')]
REPLY = whole(b'{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}')


def value(text: str | bytes) -> Any:
    return json.loads(text)


def ask(world: World, content: str, said: Said, more: str = "") -> Got:
    body = (
        f'{{"model":"gpt-4.1","max_tokens":9{more},"messages":[{{"role":"user","content":"x"}},'
        f'{{"role":"assistant","content":{content}}},{{"role":"user","content":"y"}}]}}'
    )
    return world.post(body.encode(), said, FIELDS, "/v1/messages")


@pytest.mark.parametrize("text", WORDS)
def test_a_text_arrives_and_comes_back_as_it_was_said(world: World, text: str) -> None:
    said = whole(
        f'{{"choices":[{{"message":{{"content":{text}}},"finish_reason":"stop"}}]}}'.encode()
    )

    got = ask(world, text, said)

    assert value(world.arrived)["messages"][1].get("content", "") == value(text)
    blocks = value(got.body)["content"]
    assert "".join(block["text"] for block in blocks) == value(text)


def test_what_a_tool_is_given_and_gives_keeps_its_value(world: World) -> None:
    for name, text in OBJECTS.items():
        used = f'[{{"type":"tool_use","id":"toolu_1","name":"f","input":{text}}}]'
        call = {"id": "c", "function": {"name": "f", "arguments": text}}
        message = json.dumps({"tool_calls": [call]})
        said = whole(
            f'{{"choices":[{{"message":{message},"finish_reason":"tool_calls"}}]}}'.encode()
        )

        got = ask(world, used, said, ',"tools":[{"name":"f","input_schema":{"type":"object"}}]')

        (called,) = value(world.arrived)["messages"][1]["tool_calls"]
        assert value(called["function"]["arguments"]) == value(text), name
        (block,) = value(got.body)["content"]
        assert block["input"] == value(text), name


def test_a_stream_says_the_same_wherever_it_is_cut(world: World) -> None:
    body = "".join(word(text) for text in WORDS[:9]).encode() + end().encode()
    expected = "".join(value(text) for text in WORDS[:9])

    for cuts in pairwise(range(0, len(body), 31)):
        pieces = (body[: cuts[0]], body[cuts[0] : cuts[1]], body[cuts[1] :])

        got = ask(world, '"a"', events(*pieces), ',"stream":true')

        datas = [line[6:] for line in got.body.split(b"\n") if line.startswith(b"data: ")]
        deltas = [value(data).get("delta", {}) for data in datas]
        assert "".join(delta.get("text", "") for delta in deltas) == expected
        assert value(datas[-1]) == {"type": "message_stop"}
