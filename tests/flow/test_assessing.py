"""A call that comes again as it was is not looked at again, where kept replies may not serve."""

from typing import Any

from gateway.call import Wishes
from gateway.flow import assessing
from gateway.money import NanoUSD
from tests.flow.conftest import MakeWorld
from tests.flow.replies import whole

WARM: dict[str, Any] = {"temperature": 0.7}


async def test_a_repeated_call_is_assessed_once(world: MakeWorld) -> None:
    # Everything is long enough for a thread: what runs there is noted.
    place = world(lambda _: whole(), thread_over=0)

    first, second = await place.ask(**WARM), await place.ask(**WARM)

    assert place.threaded.count("assess") == 1
    assert place.ended(first).tier is place.ended(second).tier
    assert len(place.upstream.requests) == 2


async def test_other_bytes_are_another_call(world: MakeWorld) -> None:
    place = world(lambda _: whole(), thread_over=0)

    for text in ("Hi", "Ho", "Hi"):
        await place.ask(text=text, **WARM)

    assert place.threaded.count("assess") == 2


async def test_a_call_that_kept_replies_may_serve_is_not_remembered(world: MakeWorld) -> None:
    place = world(lambda _: whole(), thread_over=0)

    await place.ask()

    assert "_digest" not in place.threaded
    assert not place.flow._assessing._remembered


async def test_a_remembered_call_is_counted_when_its_caller_sets_a_cap(world: MakeWorld) -> None:
    place = world(lambda _: whole(), thread_over=0)
    low, high = place.assessor.thinks.text_bounds
    place.assessor.thinks = place.assessor.thinks._replace(text_bounds=(low, high + 100))

    await place.ask(**WARM)
    assert place.assessor.counted == 0
    for _ in range(2):
        await place.ask(said=Wishes(max_cost=NanoUSD(10**9)), **WARM)

    assert place.assessor.counted == 1
    assert place.threaded.count("assess") == 1


async def test_only_so_many_are_remembered(world: MakeWorld) -> None:
    place = world(lambda _: whole())

    for number in range(assessing.REMEMBERED + 5):
        await place.ask(text=str(number), **WARM)

    assert len(place.flow._assessing._remembered) == assessing.REMEMBERED
