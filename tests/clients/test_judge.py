"""The judge of the clients' results must see what differs, and nothing else."""

from typing import Any

import pytest

from tests.clients.judge import OURS, difference, model_of, normal, surprise

CHUNK = {"id": "chatcmpl-1", "model": "m", "created": 5, "choices": []}
TORN = {"code": "upstream_truncated"}
FIELDS = {f"x-gateway-{name}": "x" for name in OURS}


def kept(cache: str, created: int) -> dict[str, Any]:
    return {"reply": {**CHUNK, "created": created, "_request_id": cache}, "cache": cache}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (CHUNK, {**CHUNK, "created": 6}),
        ({"request_id": "req_1ab"}, {"request_id": "req_tg2cd"}),
        ({"lines": ['data: {"created":5}']}, {"lines": ['data: {"created":6}']}),
        ({"headers": {"Date": "x", "content-type": "t"}}, {"headers": {"content-type": "t"}}),
    ],
)
def test_clocks_ids_and_fields_of_a_connection_do_not_count(one: Any, other: Any) -> None:
    assert normal(one) == normal(other)
    assert difference("chat", one, other) == ""


@pytest.mark.parametrize(
    ("one", "other", "where"),
    [
        (CHUNK, {**CHUNK, "id": "chatcmpl-2"}, ".id:"),
        ({"x": 1}, {"x": 1.0}, ".x:"),
        ({"x": 1}, {"x": True}, ".x:"),
        ({"x": None}, {}, ".x:"),
        ({}, {"x": None}, ".x:"),
        ({"x": [1, 2]}, {"x": [1]}, ".x:"),
        ({"x": [1, {"y": "a"}]}, {"x": [1, {"y": "b"}]}, ".x[1].y:"),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, ".: members in another order"),
        ({"request_id": "req_1"}, {"request_id": None}, ".request_id:"),
        ({"created": 5}, {"created": None}, ".created:"),
        ({"headers": {"x-ratelimit-a": "1"}}, {"headers": {}}, ".headers.x-ratelimit-a:"),
        ({"raised": "RateLimitError"}, {"raised": "APIError"}, ".raised:"),
        ([1], "a" * 1000, ".: [1] became 'aaa"),
    ],
)
def test_everything_else_counts(one: Any, other: Any, where: str) -> None:
    verdict = difference("chat", one, other)

    assert verdict.startswith(where)
    assert len(verdict) < 400


def test_the_model_is_found_wherever_it_stands() -> None:
    assert model_of({"chunks": [{"choices": [], "model": "gpt-4.1"}]}) == "gpt-4.1"
    assert model_of([{"response": {"modelId": "gpt-4.1-nano"}}]) == "gpt-4.1-nano"
    assert model_of({"raised": "RateLimitError", "body": [1, None]}) is None


def test_a_case_must_be_what_it_is_about() -> None:
    assert surprise("chat", CHUNK) == ""
    assert surprise("hang_up", [CHUNK]) == ""
    assert surprise("invalid", {"raised": "BadRequestError"}) == ""
    assert "not BadRequestError" in surprise("invalid", CHUNK)
    assert "TypeError" in surprise("chat", {"raised": "TypeError"})


def test_our_fields_must_be_there_and_the_accounts_must_not() -> None:
    direct = {"headers": {"openai-organization": "org", "content-type": "t"}}

    assert difference("headers", direct, {"headers": {"content-type": "t", **FIELDS}}) == ""
    assert "missing ['model'" in difference("headers", direct, {"headers": {"content-type": "t"}})
    leaking = {"headers": {**FIELDS, "OpenAI-Organization": "org"}}
    assert "leaked ['openai-organization']" in difference("headers", direct, leaking)
    assert ".content-type" in difference("headers", direct, {"headers": FIELDS})


def test_a_broken_stream_must_say_so_after_the_same_chunks() -> None:
    direct = {"chunks": [CHUNK], "error": None}

    assert difference("cut", direct, {"chunks": [CHUNK], "error": TORN}) == ""
    assert ".error" in difference("cut", direct, direct)
    assert ".chunks" in difference("cut", direct, {"chunks": [], "error": TORN})
    assert "became" in difference("cut", direct, {"raised": "TypeError"})


def test_every_model_and_every_word_of_ours_must_be_listed() -> None:
    direct = {"ids": ["gpt-4.1"], "one": "gpt-4.1"}
    words = ["auto", "nano", "mini", "full"]

    assert difference("models", direct, {"ids": [*words, "gpt-4.1"], "one": "gpt-4.1"}) == ""
    assert "gpt-4.1" in difference("models", direct, {"ids": words, "one": "gpt-4.1"})
    assert ".one" in difference("models", direct, {"ids": [*words, "gpt-4.1"], "one": "x"})


def test_a_kept_reply_must_be_the_first_one_again() -> None:
    direct = [kept("", 1), kept("", 2)]

    assert difference("kept", direct, [kept("miss", 7), kept("hit", 7)]) == ""
    assert ".cache" in difference("kept", direct, [kept("miss", 7), kept("miss", 7)])
    assert ".created" in difference("kept", direct, [kept("miss", 7), kept("hit", 8)])


def test_a_prompt_that_fits_nowhere_may_be_counted_less_exactly() -> None:
    exact = "maximum context length is 1047576 tokens, 5"
    bound = "maximum context length is 1047576 tokens, at least 4"
    direct = {"raised": "BadRequestError", "message": exact, "code": "c"}

    assert difference("too_long", direct, {**direct, "message": bound}) == ""
    assert ".message" in difference("too_long", direct, {**direct, "message": "no"})
    assert ".code" in difference("too_long", direct, {**direct, "message": bound, "code": "d"})
