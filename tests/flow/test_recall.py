"""What earlier calls taught shows in the next choice."""

from typing import Any

import orjson

from gateway.catalog import Tier
from gateway.errors import UpstreamTimeout
from gateway.holds import Stand, Standing
from gateway.money import FREE, NanoUSD, usd
from gateway.principal import Allowance, Level, Period, Principal
from gateway.route.choose import Policy
from gateway.route.reasons import Candidate
from tests.fakes import FULL, MINI, NANO, assessment, wishes
from tests.flow.conftest import MakeWorld
from tests.flow.replies import body, in_turn, whole
from tests.flow.scenes import EASY, HARD, MIDDLING, World

TOOL = {"role": "tool", "tool_call_id": "call_1", "content": "42"}
HELLO = {"role": "user", "content": "Where is my order?"}
CALLED: dict[str, Any] = {"role": "assistant", "content": None, "tool_calls": []}


async def looked(place: World, **more: Any) -> list[Candidate]:
    """The candidates of one more call."""
    client = await place.ask(**more)
    choice = client.answer.journey.choice
    assert choice is not None
    return list(choice.candidates)


async def test_lengths_are_learnt_from_bills(world: MakeWorld) -> None:
    place = world(lambda _: whole(), thinks=assessment(100, completion=200))
    before = (await looked(place))[0].completion

    for number in range(20):
        await looked(place, text=str(number))
    after = (await looked(place, text="and now"))[0].completion

    # Each reply has twenty tokens.
    assert before > 150
    assert after < 60


async def test_a_deployment_too_slow_for_its_deadlines_is_left_alone(world: MakeWorld) -> None:
    place = world(lambda _: UpstreamTimeout("late"), thinks=EASY)

    for _ in range(12):
        place.clock.at += 60.0
        await place.ask(said=wishes(deadline=10.0))

    tried = place.upstream.tried()
    assert len(tried) > tried.count(NANO.name)


async def test_a_conversation_is_remembered_in_the_store(world: MakeWorld) -> None:
    place = world(lambda _: whole(), thinks=MIDDLING)
    talk = wishes(session="talk")

    await place.ask(said=talk)
    note = await place.flow.parts.affinities.get("conversation", "\ns:talk")

    assert note is not None
    assert note.startswith("1 1 1 0 0 ")


async def test_what_a_conversation_sent_is_expected_to_be_cached(world: MakeWorld) -> None:
    place = world(lambda _: whole(body(usage=(4_000, 20))), thinks=assessment(4_000))
    talk = wishes(session="talk")

    first = await looked(place, said=talk, text="one")
    second = await looked(place, said=talk, text="two")

    assert [c.cached for c in first] == [0, 0, 0]
    assert [c.cached > 3_000 for c in second] == [True, False, False]


async def test_tool_results_go_back_to_who_asked(world: MakeWorld) -> None:
    needs = assessment(2_000, quality=(0.4, 0.8, 0.82))
    place = world(lambda _: whole(), thinks=needs)

    await place.ask(messages=[HELLO])
    place.assessor.thinks = HARD
    await place.ask(messages=[HELLO, CALLED, TOOL])

    assert place.upstream.tried() == [MINI.name, MINI.name]


async def test_an_allowance_that_runs_low_steers(world: MakeWorld) -> None:
    level = Level("key:k", (Allowance(usd("1"), Period.DAY),))
    alice = Principal(key="k", tenant="key:k", levels=(level,))
    place = world(
        lambda _: whole(),
        thinks=assessment(100, quality=(0.3, 0.5, 0.95), max_completion=100),
        routing=Policy(quality=0.9),
    )
    stand = Stand("key:k", usd("1"), NanoUSD(usd("0.99")), FREE, 0.1, 70_000.0)

    for number in range(60):
        stand = stand._replace(elapsed=0.1 + number / 400)
        place.ledger.stands = Standing(allowances=(stand,))
        await place.ask(principal=alice, text=str(number))

    assert place.upstream.tried()[0] == FULL.name
    assert place.upstream.tried()[-1] != FULL.name


async def test_the_explanation_says_what_would_have_changed_it(world: MakeWorld) -> None:
    place = world(in_turn(whole()), thinks=MIDDLING)

    client = await place.ask(said=wishes(explain=True))

    told = orjson.loads(client.body)["gateway"]
    assert told["weights"]["doubling"] == 0.045
    assert any("full would need" in words for words in told["would_change_it"])
    assert told["candidates"][Tier.NANO]["worst_usd"] != "0"
