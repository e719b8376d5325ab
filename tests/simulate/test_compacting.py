"""The simulated `/responses/compact`, and what is not simulated at all."""

import json
from typing import Any

import openai

from tests.simulate.test_responses import create
from tests.simulate.world import send, serving, simulation


def test_a_conversation_is_made_shorter(client: openai.OpenAI) -> None:
    said: Any = [
        {"role": "user", "content": "What is inflation?"},
        {"role": "assistant", "content": "Prices rise."},
        {"role": "user", "content": [{"type": "input_text", "text": "And deflation?"}]},
    ]

    raw = client.responses.with_raw_response.compact(model="small", input=said)
    # The client knows such items as a model's own only.
    short, after = raw.parse(), json.loads(raw.text)["output"]
    going_on = create(client, [*after, {"role": "user", "content": "Go on."}])

    assert [item.type for item in short.output] == ["message", "message", "compaction"]
    assert after[1]["content"] == [{"type": "input_text", "text": "And deflation?"}]
    assert short.usage.total_tokens == short.usage.input_tokens + short.usage.output_tokens
    assert going_on.status == "completed"


def test_a_conversation_is_not_made_shorter_in_pieces() -> None:
    asked = {"model": "small", "input": "What is inflation?", "stream": True}
    with serving(simulation()) as port:
        raw = send(port, "POST", "/v1/responses/compact", asked)

    assert (raw.status, json.loads(raw.body)["error"]["param"]) == (400, "stream")


def test_what_is_not_simulated_says_so() -> None:
    with serving(simulation()) as port:
        raw = send(port, "POST", "/v1/fine_tuning/jobs", {"model": "small"})

    assert (raw.status, json.loads(raw.body)["error"]["code"]) == (404, "not_simulated")
