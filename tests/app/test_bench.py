"""The load check, against real gateways and a few odd servers."""

import asyncio
from pathlib import Path

import pytest

from gateway.app import bench as room
from gateway.app.bench import Asked, Costly, bench, percentiles
from gateway.catalog import Secret
from gateway.errors import UpstreamUnreachable
from tests.app.far_servers import Asked as Request, Far, Plain, far
from tests.app.serving import served

NOBODY = Secret("")


async def test_a_gateway_is_measured_as_its_callers_see_it() -> None:
    async with served() as gateway:
        asked = Asked(gateway.url, NOBODY, concurrency=2, seconds=0.2)
        found = await room._bench(asked)
        kept = await room._bench(asked._replace(cached=True, seconds=0.1, stream=True))

    assert found["errors"] == 0
    assert found["outcomes"] == {"200": found["calls"]}
    assert found["simulated"] is True
    assert set(found["cache"]) == {"bypass"}
    assert 0 < found["added_ms"]["p50"] <= found["latency_ms"]["max"]
    assert found["calls_per_second"] > 0
    assert found["machine"]["cores"] >= 1
    assert "hit" in kept["cache"]


async def test_answers_that_cost_money_need_a_word() -> None:
    async with far(Plain(frozenset({"auto"}))) as server:
        asked = Asked(f"http://127.0.0.1:{server.port}/v1/", NOBODY, 1, 0.05)
        with pytest.raises(Costly):
            await room._bench(asked)
        found = await room._bench(asked._replace(paid=True, body={"model": "auto"}))

    assert found["simulated"] is False
    assert server.asked[-1].document() == {"model": "auto"}
    assert found["calls"] == len(server.asked) - 2


class Failing(Far):
    """Answers once, then with errors, then not at all."""

    def answer(self, asked: Request) -> tuple[int, bytes]:
        if len(self.asked) == 1:
            return 200, b"{}"
        if len(self.asked) == 2:
            return 503, b"{}"
        raise ConnectionResetError


async def test_failures_are_counted_by_what_they_are() -> None:
    async with far(Failing(frozenset())) as server:
        asked = Asked(f"http://127.0.0.1:{server.port}", Secret("tg-key"), 1, 0.05, paid=True)
        found = await room._bench(asked)

    assert found["outcomes"]["503"] == 1
    assert found["errors"] == found["calls"] > 1
    assert found["latency_ms"] == {}
    assert server.asked[0].headers["authorization"] == "Bearer tg-key"


async def test_a_gateway_that_refuses_the_first_call_is_not_measured() -> None:
    async with far(Plain(frozenset())) as server:
        asked = Asked(f"http://127.0.0.1:{server.port}", NOBODY, 1, 0.05)
        with pytest.raises(UpstreamUnreachable, match="answered 404"):
            await room._bench(asked)


def test_without_an_address_one_is_started_and_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiergate.yaml").write_text("server: {port: nonsense}")

    found = bench(Asked("", NOBODY, 1, 0.1))

    assert found["url"].startswith("a gateway started beside")
    assert (found["errors"], found["simulated"]) == (0, True)


async def test_one_that_does_not_start_is_told() -> None:
    lines = asyncio.StreamReader()
    lines.feed_data(b"error: no\n")
    lines.feed_eof()

    with pytest.raises(UpstreamUnreachable, match="did not start"):
        await room._listening(lines)


def test_percentiles_are_of_what_was_measured() -> None:
    assert percentiles([]) == {}
    assert percentiles([1.0, 2.0, 3.0]) == {
        "p50": 2.0,
        "p90": 3.0,
        "p99": 3.0,
        "p999": 3.0,
        "max": 3.0,
    }
