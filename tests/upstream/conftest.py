"""Every client keeps the same contract, on either event loop."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import trustme

from gateway.ports import Upstream
from gateway.upstream.client import DirectUpstream
from gateway.upstream.httpx_adapter import HttpxUpstream
from gateway.upstream.pool import Limits

Maker = Callable[..., Upstream]


@pytest.fixture(
    params=[("asyncio", {"use_uvloop": False}), ("asyncio", {"use_uvloop": True})],
    ids=["asyncio", "uvloop"],
)
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    return request.param


def by_httpx(ca_file: str | None = None, limits: Limits | None = None) -> HttpxUpstream:
    return HttpxUpstream(ca_file=ca_file, limits=limits or Limits(), proxies={})


def direct(ca_file: str | None = None, limits: Limits | None = None) -> DirectUpstream:
    return DirectUpstream(ca_file=ca_file, limits=limits or Limits())


@pytest.fixture(params=[direct, by_httpx], ids=["direct", "httpx"])
def maker(request: pytest.FixtureRequest) -> Maker:
    made: Maker = request.param
    return made


@pytest.fixture
async def upstream(maker: Maker) -> AsyncIterator[Upstream]:
    client = maker()
    yield client
    await client.close()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)
