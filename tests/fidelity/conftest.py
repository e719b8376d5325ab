"""One world for all tests of this room: each exchange says anew what is answered."""

from collections.abc import Iterator

import pytest

from tests.fidelity.world import World, living


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    with living() as world:
        yield world
