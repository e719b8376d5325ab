"""Calls of one tenant share answers, but neither allowances nor what a key may use."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from gateway.catalog import Tier
from gateway.errors import AllowanceSpent
from gateway.flow.own import lowered
from gateway.holds import Denial, Limited, Stand, Standing
from gateway.money import FREE, NanoUSD, usd
from gateway.principal import Allowance, Level, Period, Principal
from gateway.route.fit import SPENT
from gateway.route.reasons import Candidate, Choice
from gateway.wire.headers import SAYS_NOTHING, TO_UPSTREAM, that_matter
from tests.fakes import FakeReply, assessment
from tests.flow.conftest import MakeWorld
from tests.flow.replies import (
    CLOSING,
    DONE,
    OPENING,
    STREAMED,
    body,
    in_turn,
    stream,
    usage_frame,
    whole,
)
from tests.flow.scenes import Client, World, settle

TEAM = "team:t"
LEVEL = Level("key:poor", (Allowance(usd("1"), Period.DAY),))
POOR = Principal(key="poor", team="t", root="o", levels=(LEVEL,))
RICH = Principal(key="rich", team="t", root="o", levels=(LEVEL._replace(id="key:rich"),))
THINKS = assessment(quality=(0.3, 0.5, 0.95))._replace(max_completion=1000)


def left(tokens: int, place: World, tier: Tier) -> Denial:
    """A refusal that leaves enough for so many tokens of an answer."""
    price = place.flow.parts.catalog.models_by_tier[tier].price
    rest = THINKS.text_bounds[1] * price.prompt + tokens * price.completion
    stand = Stand("key:poor", usd("1"), NanoUSD(usd("1") - rest), FREE, 0.5, 60.0)
    return Denial("key:poor", Limited.ALLOWANCE, 60.0, Standing(allowances=(stand,)))


async def as_team(place: World, who: Principal, **more: Any) -> Client:
    return await place.ask(principal=who, tenant=TEAM, **more)


async def test_what_went_a_tier_down_for_its_key_serves_no_other_key(world: MakeWorld) -> None:
    place = world(lambda _: whole(), thinks=THINKS)
    place.ledger.answers.append(left(0, place, Tier.FULL))

    poor = place.ended(await as_team(place, POOR))
    rich = place.ended(await as_team(place, RICH))
    again = place.ended(await as_team(place, POOR))

    assert (poor.reason, poor.cache) == ("budget", "miss")
    assert (rich.reason, rich.cache, rich.tier) == ("quality", "miss", Tier.FULL)
    assert (again.cache, again.model) == ("hit", rich.model)


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(("tokens", "then"), [(20, "miss"), (40, "hit")])
async def test_an_answer_cut_off_where_its_keys_money_ended_is_not_kept(
    world: MakeWorld, streaming: bool, tokens: int, then: str
) -> None:
    def answering(_: object) -> FakeReply:
        # Twenty tokens: they fill the first limit and not the second.
        return stream() if streaming else whole()

    asked = {"model": "full", "stream": streaming}
    place = world(answering, thinks=THINKS._replace(completion_tokens=5))
    # What is left is no room for twice what is expected, but at the second look for once.
    place.ledger.answers.extend([left(tokens, place, Tier.FULL)] * (2 if tokens < 32 else 1))

    first = place.ended(await as_team(place, POOR, **asked))
    second = place.ended(await as_team(place, RICH, **asked))

    assert b'"max_completion_tokens":%d' % tokens in place.upstream.requests[0].body
    assert (first.tier, first.cache, second.cache) == (Tier.FULL, "miss", then)


async def test_a_key_that_is_refused_refuses_no_other(world: MakeWorld) -> None:
    place = world(in_turn(whole()), thinks=THINKS)
    place.ledger.gate = asyncio.Event()
    place.ledger.refusals["key:poor"] = left(0, place, Tier.NANO)

    async with asyncio.TaskGroup() as tasks:
        poor = place.client(place.call("full", principal=POOR, tenant=TEAM)).start(tasks)
        await settle()
        rich = place.client(place.call("full", principal=RICH, tenant=TEAM)).start(tasks)
        await settle()
        place.ledger.gate.set()

    assert isinstance(poor.error, AllowanceSpent)
    assert (rich.error, rich.body) == (None, body())


@pytest.mark.parametrize(("who", "fetched"), [(RICH, 2), (POOR, 1)])
async def test_a_stream_that_is_limited_for_its_key_is_joined_by_that_key_only(
    world: MakeWorld, who: Principal, fetched: int
) -> None:
    gate = asyncio.Event()
    place = world(
        lambda _: stream(OPENING, gate.wait, CLOSING + usage_frame() + DONE), thinks=THINKS
    )
    place.ledger.answers.append(left(400, place, Tier.FULL))

    async with asyncio.TaskGroup() as tasks:
        place.client(place.call(principal=POOR, tenant=TEAM, stream=True)).start(tasks)
        await settle()
        other = place.client(place.call(principal=who, tenant=TEAM, stream=True)).start(tasks)
        await settle()
        gate.set()

    assert len(place.upstream.requests) == fetched
    assert other.body == STREAMED


async def test_what_a_key_may_not_use_answers_it_from_no_memory(world: MakeWorld) -> None:
    place = world(lambda _: whole(), thinks=THINKS)
    small = replace(POOR, key="small", tiers=frozenset({Tier.NANO}))
    free = replace(POOR, key="free", tiers=frozenset(Tier))

    ended = [place.ended(await as_team(place, who)) for who in (RICH, small, free, small)]

    assert [(one.cache, one.tier) for one in ended] == [
        ("miss", Tier.FULL),
        ("miss", Tier.NANO),
        ("hit", Tier.FULL),
        ("hit", Tier.NANO),
    ]


async def test_a_header_that_changes_answers_asks_anew(world: MakeWorld) -> None:
    place = world(lambda _: whole())

    async def cached(*headers: tuple[bytes, bytes]) -> str:
        call = place.call()
        call.headers = headers
        return place.ended(await place.client(call).serve()).cache

    agent, beta = (b"user-agent", b"one"), (b"openai-beta", b"responses=v1")

    said = [await cached(*fields) for fields in ((agent,), (agent, beta), (), (beta,))]

    assert said == ["miss", "miss", "hit", "hit"]
    assert await cached((b"openai-beta", b"responses=v2")) == "miss"


def test_every_header_an_upstream_may_see_is_a_label_or_part_of_the_key() -> None:
    told = that_matter(tuple((name, b"x") for name in sorted(TO_UPSTREAM)))

    assert {name.encode() for name, _ in told} | SAYS_NOTHING == TO_UPSTREAM
    assert told == [["openai-beta", "x"]]


@pytest.mark.parametrize(
    ("price", "code", "refused", "expected"),
    [
        (0.0, "quality", "", False),
        (1e-3, "quality", "", True),
        (1e-9, "quality", "", False),
        (1e-3, "sticky", "", False),
        (0.0, "budget", "", True),
        (0.0, "only", SPENT, True),
    ],
)
def test_an_allowance_shows_in_what_was_chosen(
    price: float, code: str, refused: str, expected: bool
) -> None:
    nano, full = (
        Candidate(tier, tier.label, quality, NanoUSD(cost), 0.0, 0.0)
        for tier, quality, cost in ((Tier.NANO, 0.3, 100), (Tier.FULL, 0.9, 2000))
    )
    unpaced = full if price < 1e-6 else nano
    full_now = full._replace(refused=refused)
    chosen = nano if refused else unpaced

    choice = Choice(chosen, (nano, full_now), code, (), 0.01, 0.0, price, 0.5)

    assert lowered(choice) is expected
