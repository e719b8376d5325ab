"""Heads that come again on a connection: answered as if each had been parsed."""

import pytest

from tests.flow.replies import body
from tests.http.edge import Edge, asking, edge, post, turned

BODIES = [asking("nano"), asking("full", user="x" * 3_000), asking("mini"), asking("nano")]


def remembered(e: Edge) -> bool:
    (connection,) = e.connections()
    return connection._again._head is not None


async def test_calls_that_differ_in_their_bodies_alone_are_answered_each_for_itself() -> None:
    async with edge() as e:
        wire = await e.dial()
        said = [await wire.ask(post(one)) for one in BODIES]

        assert remembered(e)
        assert [r.body for r in e.requests if b"xxx" in r.body]
    assert [one.headers["x-gateway-tier"] for one in said] == ["nano", "full", "mini", "nano"]
    assert said[-1].headers["x-gateway-cache"] == "hit"


@pytest.mark.parametrize("cut", [1, 60, 140, 150, 200])
async def test_a_head_that_comes_again_may_come_in_segments(cut: int) -> None:
    async with edge() as e:
        wire = await e.dial()
        await wire.ask(post(asking("nano")))
        data = post(asking("full", user="y" * 100))
        head, _, rest = data.partition(b"\r\n\r\n")
        for piece in (data[:cut], data[cut:]):
            wire.send(piece)
            await turned()
        first = await wire.reply()
        wire.send(head + b"\r\n\r\n")
        await e.until(lambda: e.connections()[0].receiving_since is not None)
        for piece in (rest[:7], rest[7:]):
            wire.send(piece)
        second = await wire.reply()

    assert [one.headers["x-gateway-tier"] for one in (first, second)] == ["full", "full"]


async def test_what_follows_a_call_that_came_again_is_read_too() -> None:
    async with edge() as e:
        wire = await e.dial()
        await wire.ask(post(asking("nano")))
        wire.send(post(asking("mini")) + post(asking("full")) + post(asking("nano", user="z")))
        said = [await wire.reply() for _ in range(3)]

    assert [one.status for one in said] == [200, 200, 200]
    assert [one.headers["x-gateway-tier"] for one in said[:2]] == ["mini", "full"]


async def test_a_field_that_is_new_counts() -> None:
    async with edge() as e:
        wire = await e.dial()
        said = [
            await wire.ask(post(asking("auto", user=str(number)), *["X-Gateway-Tier: full"] * odd))
            for number, odd in enumerate([0, 1, 0, 1])
        ]

    tiers = [one.headers["x-gateway-tier"] for one in said]
    assert tiers[1] == tiers[3] == "full"
    assert tiers[0] == tiers[2] != "full"


async def test_what_was_refused_is_refused_again() -> None:
    async with edge() as e:
        wire = await e.dial()
        data = post().replace(b"application/json", b"text/plain")

        assert [(await wire.ask(data)).status for _ in range(3)] == [415, 415, 415]


async def test_a_body_over_the_limit_is_refused_after_one_below() -> None:
    async with edge(limits={"max_body": 2_000}) as e:
        wire = await e.dial()
        await wire.ask(post())
        said = await wire.ask(post(b" " * 2_001))

    assert said.status == 413


async def test_a_body_that_does_not_come_is_waited_for_no_longer() -> None:
    async with edge() as e:
        wire = await e.dial()
        await wire.ask(post())
        wire.send(post()[:-5])
        await e.until(lambda: e.connections()[0].receiving_since is not None)
        e.pass_by(21)
        said = await wire.reply()

    assert said.status == 408


async def test_a_client_whose_heads_are_never_alike_is_given_up() -> None:
    async with edge() as e:
        wire = await e.dial()
        for number in range(10):
            said = await wire.ask(post(None, f"Traceparent: {number}"))

        assert e.connections()[0]._again._data == b""
    assert said.body == body()
