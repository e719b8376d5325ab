"""What every `Affinities` must do, as tests: import them all where a fixture `notes` gives one."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.ports import Affinities

__all__ = [
    "test_a_later_note_takes_the_place_of_an_earlier_one",
    "test_a_note_is_found_again",
    "test_a_note_is_gone_once_its_time_is_over",
    "test_kinds_do_not_mix",
]


@dataclass(frozen=True, slots=True)
class Notes:
    """A store under test, and how to let seconds pass for it."""

    affinities: Affinities
    let_pass: Callable[[float], Awaitable[None]]


async def test_a_note_is_found_again(notes: Notes) -> None:
    await notes.affinities.put("reply", "resp_1", "full", 10)

    assert await notes.affinities.get("reply", "resp_1") == "full"
    assert await notes.affinities.get("reply", "resp_2") is None


async def test_a_later_note_takes_the_place_of_an_earlier_one(notes: Notes) -> None:
    await notes.affinities.put("reply", "resp_1", "full", 10)
    await notes.affinities.put("reply", "resp_1", "mini", 10)

    assert await notes.affinities.get("reply", "resp_1") == "mini"


async def test_kinds_do_not_mix(notes: Notes) -> None:
    await notes.affinities.put("reply", "one", "full", 10)

    assert await notes.affinities.get("session", "one") is None


async def test_a_note_is_gone_once_its_time_is_over(notes: Notes) -> None:
    await notes.affinities.put("reply", "resp_1", "full", 2)
    await notes.let_pass(2.5)

    assert await notes.affinities.get("reply", "resp_1") is None
    assert await notes.affinities.get("reply", "resp_1") is None
