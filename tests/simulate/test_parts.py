"""The small parts: pieces, pace, limits' spelling, prefixes, the shell's manners."""

import asyncio
import json
import socket
import threading
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from gateway.catalog import Tier
from gateway.simulate import prefixes
from gateway.simulate.app import create
from gateway.simulate.limits import spell
from gateway.simulate.pace import PACES, first_token, gaps
from gateway.simulate.pieces import Meter, split
from gateway.simulate.prefixes import PrefixCache
from gateway.simulate.upstream import Simulation
from tests.simulate.world import HandClock, ask, count, dice, serving, simulation


@given(st.text(max_size=60), st.integers(1, 80))
def test_pieces_join_to_the_text_and_are_as_many_as_counted(text: str, number: int) -> None:
    pieces = split(text, number)

    assert "".join(pieces) == text
    assert len(pieces) == min(number, len(text))


@given(st.text("ab .,", max_size=60), st.integers(1, 40))
def test_a_cut_is_no_longer_than_its_limit_and_wastes_nothing(text: str, limit: int) -> None:
    meter = Meter(count)
    said = meter.cut(text, limit)

    assert text.startswith(said)
    assert meter.text(said) <= limit
    assert said == text or meter.text(text[: len(said) + 1]) > limit


@pytest.mark.parametrize(
    ("tier", "prompt", "seconds"),
    [
        (Tier.NANO, 10_000, 0.63),
        (Tier.MINI, 10_000, 0.93),
        (Tier.FULL, 1_000, 0.52),
        (Tier.FULL, 128_000, 15.0),
        (Tier.FULL, 1_000_000, 60.0),
    ],
)
def test_the_first_token_comes_when_it_was_published_to(
    tier: Tier, prompt: int, seconds: float
) -> None:
    assert PACES[tier].first_token(prompt) == pytest.approx(seconds)


def test_longer_prompts_never_start_sooner() -> None:
    for pace in PACES.values():
        times = [pace.first_token(prompt) for prompt in range(0, 1_200_000, 10_000)]

        assert times == sorted(times)


def test_times_vary_around_the_published_ones() -> None:
    fixed = dice(5)
    firsts = sorted(first_token(Tier.FULL, 1_000, 0, fixed) for _ in range(999))
    waits = list(islice(gaps(Tier.FULL, fixed), 9_999))

    assert firsts[499] == pytest.approx(0.52, rel=0.05)
    assert firsts[950] > 1.3 * firsts[499]
    assert 9_999 / sum(waits) == pytest.approx(89.0, rel=0.05)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.12, "120ms"), (1.5, "1.5s"), (20.0, "20s"), (360.0, "6m0s"), (0, "0ms")],
)
def test_resets_are_spelt_as_openai_spells_them(seconds: float, text: str) -> None:
    assert spell(seconds) == text


def test_the_prefix_cache_forgets_what_was_used_longest_ago(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(prefixes, "MOST_BLOCKS", 20)
    cache = PrefixCache()
    first, second = (ask(letter * 8_000) for letter in "ab")

    assert cache.cached("m", first, 2_000, 0.0) == 0
    assert cache.cached("m", first, 2_000, 1.0) > 1_024
    assert cache.cached("m", second, 2_000, 2.0) == 0
    assert cache.cached("m", first, 2_000, 3.0) == 0


def test_tools_are_part_of_the_prefix() -> None:
    cache = PrefixCache()
    tools = [{"type": "function", "function": {"name": "f"}}]
    cache.cached("m", ask("a" * 8_000), 2_000, 0.0)

    assert cache.cached("m", ask("a" * 8_000, tools=tools), 2_000, 1.0) == 0


def test_a_caller_that_hangs_up_stops_the_answer() -> None:
    started, stopped = threading.Event(), threading.Event()

    async def sleep(_: float) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    with serving(simulation(speed=1.0, sleep=sleep)) as port:
        body = json.dumps(ask(stream=True)).encode()
        head = b"POST /chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n"
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(head % len(body) + body)
            assert started.wait(5)
            assert not stopped.is_set()
        assert stopped.wait(5)


async def test_a_caller_gone_before_its_body_came_is_not_answered() -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await create(simulation())({"type": "http", "headers": []}, receive, send)
    await create(simulation())({"type": "websocket"}, receive, send)

    assert sent == []


async def answered(simulated: Simulation, body: bytes) -> list[Any]:
    """What the application sends for a chat request, without a server."""
    messages: list[Any] = [{"type": "http.request", "body": body}]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop() if messages else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "headers": []}
    await create(simulated)(scope, receive, send)
    return sent


async def test_a_long_prompt_is_counted_off_the_loop() -> None:
    threads: list[str] = []

    def counting(document: Any) -> int:
        threads.append(threading.current_thread().name)
        return count(document)

    simulated = simulation(HandClock(), count=counting)
    # The first count of all is the empty answer's, when the application is made.
    await answered(simulated, json.dumps(ask("short", model="large")).encode())
    assert threads[1] == "MainThread"

    threads.clear()
    await answered(simulated, json.dumps(ask("long " * 20_000, model="large")).encode())
    assert threads[1] != "MainThread"


NAMES = (
    "role content tool_calls id type function custom name arguments parameters description mode "
    "tools allowed_tools tool_call_id json_schema schema include_usage text"
)
FIELDS = st.sampled_from(NAMES.split())
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 200) | NUMBERS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4),
    max_leaves=8,
)
PARAMETERS = (
    "stream stream_options n stop max_tokens logprobs top_logprobs tools tool_choice seed "
    "parallel_tool_calls response_format reasoning_effort service_tier temperature"
)
CALL = st.fixed_dictionaries(
    {"id": st.just("a") | ODD}, optional={"type": st.just("function") | ODD, "function": ODD}
)
MESSAGE = st.fixed_dictionaries(
    {
        "role": st.sampled_from(["user", "assistant", "assistant", "tool"]),
        "content": st.just("hi") | st.lists(ODD, max_size=2) | ODD,
    },
    optional={"tool_calls": st.lists(CALL, max_size=2) | ODD, "tool_call_id": st.just("a") | ODD},
)
FUNCTION = st.fixed_dictionaries({"name": st.just("f")}, optional={"parameters": ODD})
TOOL = st.fixed_dictionaries({"type": st.just("function"), "function": FUNCTION | ODD})
CHOICES = (
    st.sampled_from(["none", "required", {"type": "function", "function": {"name": "f"}}]) | ODD
)


@given(
    st.lists(MESSAGE, min_size=1, max_size=3) | ODD,
    st.dictionaries(st.sampled_from(PARAMETERS.split()), ODD, max_size=2),
    st.fixed_dictionaries({}, optional={"tools": st.lists(TOOL), "tool_choice": CHOICES}),
)
@settings(max_examples=300, deadline=None)
def test_no_request_however_odd_breaks_it(
    messages: Any, parameters: dict[str, Any], tools: dict[str, Any]
) -> None:
    body = json.dumps({"model": "small", "messages": messages, **parameters, **tools}).encode()

    head, *chunks = asyncio.run(answered(simulation(), body))

    assert head["status"] in (200, 400)
    assert b"".join(chunk["body"] for chunk in chunks)


def test_a_thinkers_stream_waits_for_its_thoughts() -> None:
    clocks = []
    for effort in ("none", "high"):
        clock = HandClock()
        body = json.dumps(ask(model="thinker", reasoning_effort=effort, stream=True)).encode()
        asyncio.run(answered(simulation(clock, speed=1.0), body))
        clocks.append(clock.slept[0])

    assert clocks[1] > clocks[0] + 5
