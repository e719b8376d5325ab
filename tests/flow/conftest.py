"""Worlds whose books are looked at when the test is over."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.flow.scenes import World, make_world

MakeWorld = Callable[..., World]


@pytest.fixture
def world() -> Iterator[MakeWorld]:
    """Makes worlds; after every test their books must balance."""
    made: list[World] = []

    def make(*args: Any, **more: Any) -> World:
        made.append(make_world(*args, **more))
        return made[-1]

    yield make
    for one in made:
        one.check_the_books()
