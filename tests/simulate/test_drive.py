"""Traffic is sent, overlaps, repeats, and is told as its client saw it."""

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from gateway.errors import UpstreamUnreachable
from gateway.ports import Request
from gateway.simulate.drive import PROMPT_SHOWN, Drive, Seen, shown
from tests.fakes import MINI, FakeClock, FakeReply, FakeUpstream, deployment

HEAD = (
    (b"x-gateway-tier", b"mini"),
    (b"x-gateway-reason", b"quality; code"),
    (b"x-gateway-cache", b"bypass; n"),
    (b"x-gateway-cost-usd", b"0.002"),
)


def bodies() -> Iterator[dict[str, Any]]:
    number = 0
    while True:
        number += 1
        yield {"messages": [{"role": "user", "content": f"Question {number}"}]}


async def driven(upstream: FakeUpstream, *, seconds: float) -> list[Seen]:
    clock = FakeClock()
    told: list[Seen] = []
    drive = Drive(
        upstream, deployment(MINI), clock, clock.sleep, told.append, rate=10.0, seconds=seconds
    )
    await drive.run(bodies(), Random(1))  # noqa: S311 - a test's dice
    return told


async def test_calls_come_at_their_rate_and_some_again() -> None:
    told = await driven(FakeUpstream(lambda _: FakeReply(200, HEAD, (b"{}",))), seconds=30.0)

    assert 200 < len(told) < 400
    assert len({seen.prompt for seen in told}) < len(told)
    assert (told[0].tier, told[0].cache, told[0].cost, told[0].saved) == (
        "mini",
        "bypass",
        0.002,
        0,
    )


async def test_a_call_that_fails_on_the_way_is_not_told() -> None:
    def lost(_: Request) -> UpstreamUnreachable:
        return UpstreamUnreachable("gone")

    assert await driven(FakeUpstream(lost), seconds=1.0) == []


@pytest.mark.parametrize("mark", [b"x-tiergate-simulated", b"x-request-id"])
async def test_one_call_tells_whether_a_simulation_answers(mark: bytes) -> None:
    clock = FakeClock()
    upstream = FakeUpstream(lambda _: FakeReply(200, ((mark, b"1"),), (b"{}",)))
    drive = Drive(upstream, deployment(MINI), clock, clock.sleep, lambda _: None, 10.0, 1.0)

    assert await drive.simulated(next(bodies())) == (mark == b"x-tiergate-simulated")


def test_prompts_are_shown_in_one_short_line() -> None:
    long = shown({"messages": [{"content": "word\n" * 100}]})
    picture = [{"type": "image_url"}, {"type": "text", "text": "What is this?"}]

    assert len(long) == PROMPT_SHOWN
    assert "\n" not in long
    assert shown({"messages": [{"content": picture}]}) == "What is this?"
    assert shown({"messages": [{"role": "tool", "content": None}]}) == "(tool result)"
