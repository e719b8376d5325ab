"""Async tests run on asyncio, the loop the product runs on; no test depends on how busy it is."""

import pytest
from hypothesis import settings

# Over what is default here, which is another where `CI` is set.
settings.register_profile("unhurried", settings.default, deadline=None)
settings.load_profile("unhurried")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
