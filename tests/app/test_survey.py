"""What upstream accounts say of their models, asked over real sockets."""

import asyncio
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from gateway.app.survey import accounts, survey
from gateway.clock import SystemClock
from gateway.settings.catalog import build
from gateway.settings.load import load
from gateway.settings.schema import Settings
from gateway.upstream.listing import listing
from tests.app.far_servers import AZURE_KEY, Asked, Azure, Far, Plain, far
from tests.fakes import NANO, deployment

TODAY = date(2026, 11, 24)
ALL = frozenset({"gpt-4.1-nano", "gpt-4.1-mini", "gpt-4.1", "gpt-6-luna"})


def settings(directory: Path, server: Far, more: str = "", path: str = "") -> Settings:
    file = directory / "tiergate.yaml"
    url = f"http://127.0.0.1:{server.port}{path}"
    file.write_text(f"catalog: {{base_url: '{url}'{more}}}", encoding="utf-8")
    return load(file, {})


async def test_each_tier_is_looked_up_once_an_account(tmp_path: Path) -> None:
    more = ", models: {gpt-4.1-nano: {successor: gpt-6-luna}}"
    names = ALL - {"gpt-4.1-nano"}
    async with far(Plain(names, about={"shutdown_date": "2027-02-01"})) as server:
        said = settings(tmp_path, server, more)
        catalog = build(said)
        told = await accounts(said, catalog)

    nano, mini, _ = survey(catalog, told, TODAY)
    assert len(server.asked) == 1
    assert server.asked[0].method == "GET"
    assert (nano.presence, nano.successor, nano.successor_presence) == (
        *("missing", "gpt-6-luna", "present"),
    )
    assert (nano.days_left, nano.fails()) == (-32, False)
    assert (mini.presence, mini.shutdown, mini.days_left) == ("present", date(2027, 2, 1), 69)
    assert (mini.successor, mini.fails()) == ("", False)
    assert mini.document()["shutdown"] == "2027-02-01"


async def test_a_model_that_is_gone_with_nothing_in_its_place_fails(tmp_path: Path) -> None:
    async with far(Plain(ALL - {"gpt-4.1"})) as server:
        said = settings(tmp_path, server)
        told = await accounts(said, build(said))

    *_, full = survey(build(said), told, TODAY)
    assert (full.presence, full.fails()) == ("missing", True)


async def test_azure_lists_what_could_be_deployed_so_nothing_is_concluded(tmp_path: Path) -> None:
    async with far(Azure(frozenset())) as server:
        said = settings(tmp_path, server, f", api_version: 2024-10-21, key: {AZURE_KEY}", "/openai")
        told = await accounts(said, build(said))

    nano, *_ = survey(build(said), told, TODAY)
    assert (nano.presence, nano.trouble, nano.fails()) == ("unknown", "", False)


def test_a_simulation_asks_nobody() -> None:
    said = load(None, {})
    told = asyncio.run(accounts(said, build(said)))

    assert told == {}
    assert {one.presence for one in survey(build(said), told, TODAY)} == {"simulated"}


class Odd(Far):
    """Answers everything with the same."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(frozenset())
        self.said = status, body

    def answer(self, asked: Asked) -> tuple[int, bytes]:
        return self.said


@pytest.mark.parametrize(
    ("status", "body", "trouble"),
    [
        (401, b'{"error":{"message":"key sk-abc"}}', "the key is not accepted"),
        (404, b"no", "it has no list of models"),
        (503, b"", "it answered 503"),
        (200, b"<html>", "its list of models cannot be read"),
        (200, b"[]", "its list of models cannot be read"),
        (200, b'{"data":{}}', "its list of models cannot be read"),
        (200, b'{"data":[1,{"id":2},{"id":"a","shutdown_date":"soon"}]}', ""),
    ],
)
async def test_an_account_that_does_not_answer_says_why(
    status: int, body: bytes, trouble: str
) -> None:
    async with far(Odd(status, body)) as server:
        found = await listing(
            deployment(NANO, url=f"http://127.0.0.1:{server.port}"), SystemClock()
        )

    assert (found.status, found.trouble) == (status, trouble)
    assert found.models == ({} if trouble else {"a": None})
    assert found.skew is None


async def test_nobody_at_the_address_is_no_list(unused: Callable[[], int]) -> None:
    found = await listing(deployment(NANO, url=f"http://127.0.0.1:{unused()}"), SystemClock())

    assert (found.status, found.trouble) == (0, "it cannot be reached (ConnectError)")


@pytest.fixture
def unused(free_tcp_port: int) -> Callable[[], int]:
    return lambda: free_tcp_port
