"""Bytes, headers and refusals, looked at without a client in between."""

import json
from typing import Any

import pytest

from gateway.catalog import Secret
from gateway.simulate import app
from tests.simulate.world import (
    HandClock,
    ask,
    chat,
    events,
    send,
    serving,
    simulation,
)


def test_a_stream_has_the_shape_of_the_real_one(port: int) -> None:
    raw = chat(port, stream=True, stream_options={"include_usage": True})
    first, *_, last, usage, done = events(raw)

    assert raw.header("content-type") == "text/event-stream; charset=utf-8"
    assert raw.header("x-tiergate-simulated") == "1"
    assert list(first) == [
        *("id", "object", "created", "model", "service_tier", "system_fingerprint"),
        *("choices", "usage", "obfuscation"),
    ]
    assert first["choices"][0] == {
        "index": 0,
        "delta": {"role": "assistant", "content": "", "refusal": None},
        "logprobs": None,
        "finish_reason": None,
    }
    assert first["usage"] is None
    assert last["choices"][0]["delta"] == {}
    assert usage["choices"] == []
    assert done == "[DONE]"


def test_nothing_is_added_that_was_not_asked_for(port: int) -> None:
    raw = chat(port, stream=True, stream_options={"include_obfuscation": False})
    chunks = events(raw)[:-1]

    assert all("usage" not in chunk and "obfuscation" not in chunk for chunk in chunks)
    assert all(chunk["choices"] for chunk in chunks)


def test_padding_hides_how_long_a_token_is(port: int) -> None:
    chunks = events(chat(port, stream=True))[1:-2]
    padded = {
        len(chunk["choices"][0]["delta"]["content"]) + len(chunk["obfuscation"]) for chunk in chunks
    }

    assert padded == {16}


def test_a_single_tool_call_starts_with_the_role(port: int) -> None:
    tools = [{"type": "function", "function": {"name": "f"}}]
    first, *middle, last, _ = events(chat(port, stream=True, tools=tools))
    delta = first["choices"][0]["delta"]

    assert delta["role"] == "assistant"
    assert delta["content"] is None
    assert delta["tool_calls"][0]["function"] == {"name": "f", "arguments": ""}
    pieces = [each["choices"][0]["delta"]["tool_calls"][0] for each in middle]
    assert "".join(piece["function"]["arguments"] for piece in pieces) == "{}"
    assert all(set(piece) == {"index", "function"} for piece in pieces)
    assert last["choices"][0]["finish_reason"] == "tool_calls"


def test_a_service_tier_is_echoed(port: int) -> None:
    raw = chat(port, service_tier="flex")

    assert json.loads(raw.body)["service_tier"] == "flex"


def test_the_same_question_gets_the_same_answer_and_another_request_id() -> None:
    with serving(simulation()) as one, serving(simulation()) as two:
        first, again, elsewhere = chat(one), chat(one), chat(two)
    with serving(simulation(seed=8)) as three:
        other = chat(three)

    assert first.body == again.body == elsewhere.body
    assert first.header("x-request-id") != again.header("x-request-id")
    assert first.header("x-request-id") == elsewhere.header("x-request-id")
    assert json.loads(other.body)["id"] != json.loads(first.body)["id"]


def test_waits_are_the_same_and_scale_with_speed() -> None:
    waits = []
    for speed in (1.0, 1.0, 0.5):
        clock = HandClock()
        with serving(simulation(clock, speed=speed)) as port:
            chat(port, stream=True)
        waits.append(clock.slept)

    assert waits[0] == waits[1]
    assert waits[2] == [wait / 2 for wait in waits[0]]
    assert 0.08 < waits[0][0] < 0.5
    # 181 tokens a second, give or take.
    assert 0.004 < sum(waits[0][1:]) / len(waits[0][1:]) < 0.008


def test_a_whole_reply_takes_as_long_as_its_stream() -> None:
    totals = []
    for stream in (False, True):
        clock = HandClock()
        with serving(simulation(clock, speed=1.0)) as port:
            raw = chat(port, text="Explain entropy in detail.", stream=stream)
        totals.append(sum(clock.slept))
        if not stream:
            assert int(raw.header("openai-processing-ms") or 0) == round(totals[0] * 1000)

    assert totals[0] == pytest.approx(totals[1], rel=0.02)


def test_a_repeated_long_prompt_is_cached_until_ten_minutes_pass() -> None:
    clock = HandClock()
    long = "The quick brown fox jumps over the lazy dog. " * 200

    def cached(text: str, **fields: Any) -> int:
        usage = json.loads(chat(port, text=text, **fields).body)["usage"]
        return int(usage["prompt_tokens_details"]["cached_tokens"])

    with serving(simulation(clock)) as port:
        assert cached(long) == 0
        warm = cached(long)
        assert warm >= 1_024
        assert warm % 128 == 0
        assert warm <= cached(long + "And then?") <= warm + 128
        assert cached("Short.") == cached("Short.") == 0
        assert cached("Another start. " + long) == 0
        assert cached(long, model="middle") == 0
        clock.time += 601
        assert cached(long) == 0


def test_a_cached_prompt_is_answered_sooner() -> None:
    clock = HandClock()
    with serving(simulation(clock, speed=1.0)) as port:
        chat(port, model="large", text="word " * 15_000, max_tokens=1)
        cold = sum(clock.slept)
        chat(port, model="large", text="word " * 15_000, max_tokens=1)
        warm = sum(clock.slept) - cold

    assert warm < cold / 2


def test_a_key_is_asked_for_only_if_there_is_one() -> None:
    with serving(simulation(key=Secret("sk-right"))) as port:
        missing = send(port, "GET", "/v1/models")
        wrong = send(port, "GET", "/v1/models", authorization="Bearer sk-wrong")
        right = send(port, "GET", "/v1/models", authorization="bearer sk-right")
        basic = send(port, "GET", "/v1/models", authorization="Basic c2s6")

    assert (missing.status, json.loads(missing.body)["error"]["code"]) == (401, None)
    assert (wrong.status, json.loads(wrong.body)["error"]["code"]) == (401, "invalid_api_key")
    assert right.status == 200
    assert basic.status == 401


def test_requests_beyond_the_limit_wait_for_the_minute_to_go_on() -> None:
    clock = HandClock()
    with serving(simulation(clock, requests_per_minute=2)) as port:
        served = [chat(port), chat(port)]
        refused = chat(port)
        elsewhere = chat(port, model="middle")
        clock.time += 30
        again = chat(port)

    assert [raw.status for raw in served] == [200, 200]
    assert served[0].header("x-ratelimit-limit-requests") == "2"
    assert served[1].header("x-ratelimit-remaining-requests") == "0"
    assert served[1].header("x-ratelimit-reset-requests") == "1m0s"
    assert refused.status == 429
    assert json.loads(refused.body)["error"]["code"] == "rate_limit_exceeded"
    assert json.loads(refused.body)["error"]["type"] == "requests"
    assert refused.header("retry-after-ms") == "30000"
    assert refused.header("retry-after") == "30"
    assert elsewhere.status == again.status == 200


def test_tokens_beyond_the_limit_are_refused_and_a_giant_waits_for_a_full_minute() -> None:
    clock = HandClock()
    with serving(simulation(clock, tokens_per_minute=600)) as port:
        small = chat(port, max_tokens=90)
        giant = chat(port, text="word " * 900)
        clock.time += 9.7
        later = chat(port, text="word " * 900)
        clock.time += 60
        rested = chat(port, text="word " * 900)

    assert small.header("x-ratelimit-remaining-tokens") == "500"
    assert giant.header("retry-after-ms") == "10000"
    assert json.loads(giant.body)["error"]["type"] == "tokens"
    assert later.header("retry-after") == "1"
    assert later.header("x-ratelimit-reset-tokens") == "300ms"
    assert rested.status == 200


def test_unknown_addresses_are_told_apart_by_nothing(port: int) -> None:
    for method, path in (("POST", "/v1/nothing"), ("GET", "/"), ("PUT", "/v1/models")):
        raw = send(port, method, path)

        assert raw.status == 404
        assert json.loads(raw.body)["error"]["type"] == "invalid_request_error"
        assert json.loads(raw.body)["error"]["message"].startswith(f"Invalid URL ({method} ")


@pytest.mark.parametrize("body", [b"{", b"", b'{"a": NaN}', b"[" * 100_000, b"\xff"])
def test_what_is_no_json_is_refused(port: int, body: bytes) -> None:
    raw = send(port, "POST", "/v1/chat/completions", body)

    assert raw.status == 400
    assert "could not parse the JSON body" in json.loads(raw.body)["error"]["message"]


def test_lone_surrogates_are_read(port: int) -> None:
    body = json.dumps(ask("Translate into German: caf\ud83d")).encode()
    raw = send(port, "POST", "/v1/chat/completions", body)

    assert "caf?" in json.loads(raw.body)["choices"][0]["message"]["content"]


def test_a_body_beyond_the_limit_is_refused(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "MOST_BYTES", 100_000)
    raw = send(port, "POST", "/v1/chat/completions", b" " * 1_000_000)

    assert raw.status == 413
