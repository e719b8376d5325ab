"""What the flow counts beside calls: money held, refusals by limit, turns, stages."""

import asyncio

import pytest

from gateway.catalog import Tier
from gateway.errors import AllowanceSpent, StoreUnavailable
from gateway.flow.tallies import Tallies, rank_of
from gateway.holds import Denial, Limited
from gateway.money import usd
from gateway.principal import Allowance, Level, Outage, Period, Principal
from tests.fakes import assessment, wishes
from tests.flow.conftest import MakeWorld
from tests.flow.replies import whole
from tests.flow.scenes import MIDDLING, World, settle

DAY = Level("key:k", (Allowance(usd("1"), Period.DAY),))
ALICE = Principal(key="k", tenant="key:k", levels=(DAY,))
OPEN = Principal(key="k", tenant="key:k", levels=(DAY,), outage=Outage.OPEN)
SHORT = assessment(quality=(0.3, 0.5, 0.95))._replace(max_completion=100)


def gated(world: MakeWorld, gate: asyncio.Event) -> World:
    async def answering(_request: object) -> object:
        await gate.wait()
        return whole()

    return world(answering, thinks=SHORT)


async def test_what_is_held_is_told_while_a_call_is_under_way(world: MakeWorld) -> None:
    gate = asyncio.Event()
    place = gated(world, gate)

    async with asyncio.TaskGroup() as tasks:
        place.client(place.call(principal=ALICE)).start(tasks)
        await settle()
        during = place.flow.tallies.held
        gate.set()

    assert during == place.ledger.claims[0].amount > 0
    assert place.flow.tallies.held == 0


async def test_a_caller_who_leaves_leaves_nothing_held(world: MakeWorld) -> None:
    place = gated(world, asyncio.Event())

    async with asyncio.TaskGroup() as tasks:
        client = place.client(place.call(principal=ALICE)).start(tasks)
        await settle()
        client.stop()

    assert place.flow.tallies.held == 0


async def test_a_call_let_pass_without_a_ledger_holds_nothing(world: MakeWorld) -> None:
    place = world(lambda _: whole(), thinks=SHORT)
    place.ledger.answers.append(StoreUnavailable("down"))

    await place.ask(principal=OPEN)

    assert place.ledger.charges
    assert place.flow.tallies.held == 0


@pytest.mark.parametrize(
    ("level", "limited", "counted"),
    [
        ("key:k", Limited.REQUESTS, ("key", "requests")),
        ("team:t", Limited.PARALLEL, ("team", "parallel")),
        ("org:o", Limited.ALLOWANCE, ("organisation", "allowance")),
        ("what?", Limited.TOKENS, ("other", "tokens")),
    ],
)
def test_a_refusal_is_counted_by_kind_of_level_and_limit(
    level: str, limited: Limited, counted: tuple[str, str]
) -> None:
    tallies = Tallies()

    tallies.refused(Denial(level, limited, 1.0))

    assert {name: n for name, n in tallies.limited.items() if n} == {counted: 1}


async def test_a_refused_call_is_counted_once_however_many_tiers_were_tried(
    world: MakeWorld,
) -> None:
    place = world(lambda _: whole(), thinks=SHORT)
    place.ledger.answers.extend([Denial("key:k", Limited.ALLOWANCE, 1.0)] * 9)

    client = await place.ask(principal=ALICE)

    assert isinstance(client.error, AllowanceSpent)
    assert len(place.ledger.claims) > 1
    assert sum(place.flow.tallies.limited.values()) == 1


async def test_turns_of_conversations_are_told_apart_from_single_calls(world: MakeWorld) -> None:
    place = world(lambda _: whole(), thinks=MIDDLING)

    await place.ask(text="alone")
    for text in ("one", "two", "three"):
        await place.ask(said=wishes(session="talk"), text=text)

    assert place.flow.tallies.turns == {"new": 1, "kept": 2, "up": 0, "down": 0}


def test_a_move_is_up_or_down() -> None:
    tallies = Tallies()

    tallies.turned(Tier.NANO, Tier.FULL)
    tallies.turned(Tier.FULL, Tier.MINI)
    tallies.turned(Tier.FULL, Tier.NANO)

    assert tallies.turns == {"new": 0, "kept": 0, "up": 1, "down": 2}


def test_a_level_is_told_by_its_kind_and_never_by_its_name() -> None:
    assert [rank_of(level) for level in ("key:x", "team:y", "org:z", "org", "evil")] == [
        *("key", "team", "organisation", "organisation", "other")
    ]
