"""Whether calls should be sent to a gateway whose store is well, away, or somebody else's."""

from collections.abc import Mapping

import pytest

from gateway.app.readiness import FRESH, Readiness, outlives_store
from gateway.clock import SystemClock
from gateway.http.pages import Ready
from gateway.settings.load import load
from gateway.settings.schema import Settings
from tests.app.serving import FAST, Served, served
from tests.fakes import FakeClock
from tests.store.redis_server import redis_server


def a_readiness(clock: FakeClock, troubles: list[str], *, outlives: bool = False) -> Readiness:
    async def trouble() -> str:
        return troubles.pop(0)

    return Readiness(lambda: False, trouble, clock, outlives=outlives)


async def test_the_store_is_asked_once_a_second_however_many_ask() -> None:
    clock = FakeClock()
    readiness = a_readiness(clock, ["", "away"])

    assert [await readiness.ready() for _ in range(3)] == [Ready()] * 3
    clock.at += FRESH
    assert [await readiness.ready() for _ in range(3)] == [Ready("away", "away")] * 3


async def test_who_serves_without_its_store_stays_ready_and_says_what_is_amiss() -> None:
    readiness = a_readiness(FakeClock(), ["away"], outlives=True)

    assert await readiness.ready() == Ready(store="away")


async def test_who_stops_does_not_ask() -> None:
    async def trouble() -> str:
        raise AssertionError

    readiness = Readiness(lambda: True, trouble, FakeClock(), outlives=True)

    assert await readiness.ready() == Ready("stopping")


@pytest.mark.parametrize(
    ("said", "outlives"),
    [
        ({}, False),
        ({"access": {"open": True}}, True),
        ({"teams": {"search": {"on_outage": "fail_open"}}}, True),
        ({"teams": {"search": {"on_outage": "fail_closed"}}}, False),
    ],
)
def test_who_serves_without_its_store_is_said_in_the_settings(
    said: Mapping[str, object], outlives: bool
) -> None:
    assert outlives_store(Settings.model_validate(said)) is outlives
    assert not outlives_store(load(None, {}))


async def becomes(gateway: Served, word: str) -> None:
    said: dict[str, str] = {}
    for _ in range(1_000):
        said = (await gateway.http.get("/readyz")).json()
        if word in said.get("reason", said["status"]):
            return
        await SystemClock().sleep(0.01)
    raise AssertionError(said)


async def test_a_gateway_is_ready_while_its_redis_is_there_and_ours() -> None:
    with redis_server() as server:
        async with served({**FAST, "GATEWAY_REDIS_URL": server.url}) as gateway:
            await becomes(gateway, "ready")
            server.kill()
            await becomes(gateway, "cannot be reached")
            server.start()
            server.ask("SET", "tg:schema", "99")
            await becomes(gateway, "schema")
            server.ask("FLUSHALL")
            await becomes(gateway, "ready")

            assert server.ask("GET", "tg:schema") == b"1"
