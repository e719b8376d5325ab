"""Every promise of the edge is kept on either event loop."""

from typing import Any

import pytest


@pytest.fixture(
    params=[("asyncio", {"use_uvloop": True}), ("asyncio", {"use_uvloop": False})],
    ids=["uvloop", "asyncio"],
)
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    return request.param
