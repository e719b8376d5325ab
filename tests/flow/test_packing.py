"""Decisions as bytes: what comes back, what is left out, and what is left alone."""

import orjson
import pytest

from gateway.call import Counts, ImageSize, Usage
from gateway.errors import Infeasible
from gateway.flow.decisions import Decision
from gateway.flow.explain import row
from gateway.flow.packing import LAYOUT, pack, unpack
from gateway.money import usd
from gateway.prices import Manner
from gateway.principal import Principal
from gateway.route.whatif import at_dials
from tests.fakes import MINI, assessment, wishes
from tests.flow.conftest import MakeWorld
from tests.flow.replies import body, error, in_turn, whole
from tests.flow.scenes import HARD, Client, World

CANARY = "sk-canary-0123456789abcdef"
DIALS = (0.0, 0.3, 0.5, 0.9, 1.0)


def kept(place: World, client: Client) -> Decision:
    found = place.flow.decisions.find(client.call.id)
    assert found is not None
    return found


def carried(decision: Decision) -> Decision:
    told = unpack(pack(decision))
    assert told is not None
    return told.decision


async def test_another_process_tells_of_a_call_what_its_own_would(world: MakeWorld) -> None:
    place = world(in_turn(error(500), whole(body())), thinks=HARD)
    who = Principal(name="search-prod", team="search", organisation="acme")
    said = wishes(quality=0.9, deadline=90.0, ttft=60.0, max_cost=usd("1"))

    decision = kept(place, await place.ask(said=said, principal=who))

    assert row(carried(decision)) == row(decision)


async def test_a_choice_can_be_made_again_elsewhere(world: MakeWorld) -> None:
    place = world(in_turn(whole(body())), thinks=HARD)
    decision = kept(place, await place.ask())

    ours, theirs = decision.choice, carried(decision).choice

    assert ours is not None
    assert theirs == ours
    assert any(theirs.chosen is one for one in theirs.candidates)
    assert at_dials([theirs], DIALS) == at_dials([ours], DIALS)


async def test_what_was_not_chosen_from_candidates_comes_back_too(world: MakeWorld) -> None:
    named, refused = world(in_turn(whole(body()))), world(lambda _: whole(body()))
    client = await refused.ask(said=wishes(max_cost=usd("0.0000001")))

    assert isinstance(client.error, Infeasible)
    for decision in (kept(named, await named.ask(MINI.name)), kept(refused, client)):
        assert row(carried(decision)) == row(decision)


async def test_images_are_told_by_their_sizes(world: MakeWorld) -> None:
    seen = assessment(images=(ImageSize(640, 480), ImageSize(0, 0, low=True)))
    place = world(in_turn(whole(body())), thinks=seen)

    there = carried(kept(place, await place.ask()))

    assert there.seen == seen


async def test_sound_and_the_way_of_processing_are_told(world: MakeWorld) -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 3}
    details = {"prompt_tokens_details": {"audio_tokens": 4}}
    said = orjson.loads(body()) | {"usage": usage | details, "service_tier": "flex"}
    seen = assessment()._replace(manner=Manner("flex", hears=True))
    place = world(lambda _: whole(orjson.dumps(said)), thinks=seen)

    there = carried(kept(place, await place.ask()))

    assert there.ended.usage == Usage(9, 3, service="flex", audio=Counts(4))
    assert there.seen == seen


async def test_nothing_a_caller_wrote_is_told(world: MakeWorld) -> None:
    place = world(lambda _: whole(body(CANARY)))
    said = wishes(session=CANARY)

    await place.ask(text=CANARY, user=CANARY, said=said)
    await place.ask(CANARY, text=CANARY, said=said)

    packed = [pack(one) for one in place.flow.decisions.newest_first()]
    assert len(packed) == 2
    assert CANARY.encode() not in b"".join(packed)


async def test_how_many_were_left_out_before_it_comes_along(world: MakeWorld) -> None:
    place = world(in_turn(whole(body())))

    told = unpack(pack(kept(place, await place.ask()), 7))

    assert told is not None
    assert told.missed == 7


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b"{}",
        orjson.dumps({"layout": "another version's"}),
        orjson.dumps({"layout": LAYOUT}),
        orjson.dumps({"layout": LAYOUT, "missed": 0, "who": [], "said": None}),
    ],
)
def test_what_was_not_packed_as_we_do_is_left_alone(packed: bytes) -> None:
    assert unpack(packed) is None
