"""Who is let in without a key: nobody, but on one's own machine, or where it was opened."""

import pytest

from gateway.access.doorman import LOOK_SECONDS, KeyMissing
from gateway.principal import ANYONE
from tests.access.door import (
    FOREIGN,
    KEY,
    NOBODY,
    OTHER,
    OTHER_KEY,
    RECORD,
    bringing,
    doorman,
    refused,
)
from tests.access.fakes import FakeKeys, holding
from tests.fakes import FakeClock


async def test_without_any_keys_this_machine_is_let_in_and_nobody_else() -> None:
    man = doorman()

    assert await man.admit(NOBODY, near=True) is ANYONE
    assert man.known(NOBODY, near=True) is ANYONE
    error = await refused(man, NOBODY, near=False)

    assert isinstance(error, KeyMissing)
    assert "tiergate keys create" in error.message


@pytest.mark.parametrize("name", [b"forwarded", b"x-forwarded-for"])
async def test_a_proxy_on_this_machine_is_somebody_else(name: bytes) -> None:
    man = doorman()
    await man.admit(NOBODY, near=True)

    assert (await refused(man, {name: b"127.0.0.1"}, near=True)).status == 401


async def test_another_providers_key_is_ignored_while_there_are_no_keys() -> None:
    man = doorman()

    assert await man.admit(FOREIGN, near=True) is ANYONE
    assert man.known(FOREIGN, near=True) is ANYONE
    error = await refused(man, FOREIGN, near=False)

    assert "has no keys yet" in error.message


@pytest.mark.parametrize("configured", [True, False])
async def test_once_there_are_keys_everybody_needs_one(configured: bool) -> None:
    man = doorman(None, RECORD) if configured else doorman(holding(RECORD))

    missing, foreign = await refused(man, NOBODY, near=True), await refused(man, FOREIGN, near=True)

    assert (missing.status, missing.code) == (401, None)
    assert missing.message.startswith("You didn't provide an API key.")
    assert (foreign.status, foreign.code) == (401, "invalid_api_key")
    assert "sk-proj" not in foreign.message


async def test_a_first_key_closes_the_gateway_within_two_seconds_and_for_good() -> None:
    keys, clock = FakeKeys(), FakeClock()
    man = doorman(keys, clock=clock)
    assert await man.admit(NOBODY, near=True) is ANYONE
    await keys.put(RECORD)
    clock.at += LOOK_SECONDS

    assert (await refused(man, NOBODY, near=True)).status == 401
    keys.records.clear()
    clock.at += LOOK_SECONDS
    assert (await refused(man, NOBODY, near=True)).status == 401
    assert keys.listings == 2


async def test_a_gateway_without_keys_looks_for_some_now_and_then_only() -> None:
    keys = FakeKeys()
    man = doorman(keys)

    for _ in range(100):
        await man.admit(NOBODY, near=True)

    assert keys.listings == 1


async def test_a_gateway_known_to_have_no_keys_stays_open_while_the_store_is_away() -> None:
    keys, clock = FakeKeys(), FakeClock()
    man = doorman(keys, clock=clock)
    await man.admit(NOBODY, near=True)
    keys.away = True
    clock.at += LOOK_SECONDS

    assert await man.admit(NOBODY, near=True) is ANYONE


async def test_an_open_gateway_asks_nobody_for_a_key_but_checks_one_that_is_brought() -> None:
    man = doorman(holding(OTHER), RECORD, open_to_all=True)

    assert man.known(NOBODY) is ANYONE
    assert man.known(FOREIGN) is ANYONE
    assert await man.admit(FOREIGN) is ANYONE
    assert (await man.admit(bringing(OTHER_KEY))).key == OTHER.id
    wrong = bringing(KEY[:-1] + (b"b" if KEY[-1:] == b"a" else b"a"))
    assert (await refused(man, wrong)).status == 401


async def test_the_posture_is_said_at_start() -> None:
    away = FakeKeys(away=True)

    assert "may spend its key" in await doorman(open_to_all=True).posture()
    assert await doorman(holding(RECORD)).posture() == "callers need a key"
    assert "anyone on this machine may call, nobody else" in await doorman().posture()
    assert "cannot be reached" in await doorman(away).posture()
