"""Who is let in by a key, who is not, and what is said to them."""

import pytest

from gateway.access.doorman import (
    FRESH_SECONDS,
    MAX_KNOWN,
    MAX_UNKNOWN,
    UNKNOWN_SECONDS,
)
from gateway.access.records import revoked, rotated
from gateway.access.token import RANDOM_BYTES
from gateway.errors import StoreUnavailable, Unauthenticated
from gateway.principal import Outage, Terms
from tests.access.door import KEY, NOBODY, OTHER, OTHER_KEY, RECORD, bringing, doorman, refused
from tests.access.fakes import Dice, FakeKeys, holding, later, made
from tests.fakes import FakeClock

OPEN = Terms(outage=Outage.OPEN)


# ── keys ─────────────────────────────────────────────────────────────────────
def test_a_key_of_the_configuration_is_known_at_once_and_for_ever() -> None:
    clock = FakeClock()
    man = doorman(None, RECORD, clock=clock)
    clock.at += 1e6

    principal = man.known(bringing(KEY))

    assert principal is not None
    assert (principal.key, principal.name) == (RECORD.id, "search-prod")


async def test_a_key_of_the_store_is_looked_up_once_and_then_known() -> None:
    keys = holding(RECORD)
    man = doorman(keys)

    assert man.known(bringing(KEY)) is None
    first = await man.admit(bringing(KEY))

    assert man.known(bringing(KEY)) is first
    assert keys.asked == [RECORD.id]


@pytest.mark.parametrize("name", [b"api-key", b"x-api-key"])
async def test_a_key_may_come_as_azures_and_anthropics_clients_send_it(name: bytes) -> None:
    man = doorman(holding(RECORD))

    assert (await man.admit({name: KEY})).key == RECORD.id
    assert man.known({name: KEY}) is not None


async def test_what_a_key_proves_has_its_teams_limits() -> None:
    record, key = made(team="search")

    principal = await doorman(holding(record)).admit(bringing(key))

    assert (principal.team, principal.organisation) == ("search", "acme")
    assert [level.id for level in principal.levels] == ["team:search"]


async def test_the_stores_word_counts_for_a_second_and_is_then_asked_for_again() -> None:
    keys, clock = holding(RECORD), FakeClock()
    man = doorman(keys, clock=clock)
    first = await man.admit(bringing(KEY))
    clock.at += FRESH_SECONDS

    assert man.known(bringing(KEY)) is None
    again = await man.admit(bringing(KEY))

    assert again is first
    assert man.known(bringing(KEY)) is first
    assert keys.asked == [RECORD.id] * 2


async def test_a_revoked_key_opens_nothing_once_the_store_says_so() -> None:
    keys, clock = holding(RECORD), FakeClock()
    man = doorman(keys, clock=clock)
    await man.admit(bringing(KEY))
    await keys.put(revoked(RECORD, clock.wall()))
    clock.at += FRESH_SECONDS

    error = await refused(man, bringing(KEY))

    assert isinstance(error, Unauthenticated)
    assert error.message == "This API key is revoked."
    assert man.known(bringing(KEY)) is None


async def test_an_expired_key_opens_nothing_from_that_moment_on() -> None:
    clock = FakeClock()
    record, key = made(expires=clock.wall() + 0.5)
    man = doorman(holding(record), clock=clock)
    await man.admit(bringing(key))
    assert man.known(bringing(key)) is not None
    clock.at += 0.5

    error = await refused(man, bringing(key))

    assert error.message == "This API key is expired."


async def test_a_changed_key_has_its_new_terms() -> None:
    keys, clock = holding(RECORD), FakeClock()
    man = doorman(keys, clock=clock)
    before = await man.admit(bringing(KEY))
    await keys.put(later(RECORD, terms=Terms(quality=0.1)))
    clock.at += FRESH_SECONDS

    after = await man.admit(bringing(KEY))

    assert (before.quality, after.quality) == (None, 0.1)


async def test_a_rotated_key_replaces_the_old_one() -> None:
    keys, clock = holding(RECORD), FakeClock()
    man = doorman(keys, clock=clock)
    await man.admit(bringing(KEY))
    fresh, secret = rotated(RECORD, randomness=Dice(9)(RANDOM_BYTES))
    await keys.put(fresh)
    clock.at += FRESH_SECONDS

    assert (await refused(man, bringing(KEY))).status == 401
    assert (await man.admit(bringing(secret.reveal().encode()))).key == RECORD.id


async def test_the_right_id_with_another_secret_opens_nothing() -> None:
    man = doorman(holding(RECORD), OTHER)
    await man.admit(bringing(KEY))

    for id_of, secret_of in ((KEY, OTHER_KEY), (OTHER_KEY, KEY)):
        error = await refused(man, bringing(id_of[:14] + secret_of[14:]))
        assert error.code == "invalid_api_key"


async def test_what_only_looks_like_a_key_never_reaches_the_store() -> None:
    keys = holding(RECORD)
    man = doorman(keys)

    error = await refused(man, bringing(KEY[:-1]), near=True)

    assert isinstance(error, Unauthenticated)
    assert keys.asked == []


async def test_an_unknown_key_is_asked_for_once_in_a_while_only() -> None:
    keys, clock = FakeKeys(), FakeClock()
    man = doorman(keys, clock=clock)

    for _ in range(5):
        assert (await refused(man, bringing(KEY), near=True)).status == 401
    assert len(keys.asked) == 1

    await keys.put(RECORD)
    clock.at += UNKNOWN_SECONDS
    assert (await man.admit(bringing(KEY))).key == RECORD.id


async def test_what_is_remembered_is_bounded() -> None:
    keys = FakeKeys()
    man = doorman(keys)
    for n in range(MAX_UNKNOWN + 10):
        unknown = b"tg-%b-" % bytes(97 + (n >> 4 * i & 15) for i in range(10)) + b"a" * 40
        await refused(man, bringing(unknown))
    for n in range(MAX_KNOWN + 10):
        name = "".join(chr(97 + (n >> 4 * i & 15)) for i in range(10))
        man._remember(later(RECORD, id=name), fresh=1e9)

    assert len(man._unknown) == MAX_UNKNOWN
    assert len(man._known) == MAX_KNOWN


# ── a store that is away ─────────────────────────────────────────────────────
async def test_a_store_that_is_away_is_503_and_never_401() -> None:
    keys = holding(RECORD)
    man = doorman(keys)
    keys.away = True

    assert isinstance(await refused(man, bringing(KEY)), StoreUnavailable)
    assert isinstance(await refused(man, NOBODY, near=True), StoreUnavailable)


async def test_keys_of_the_configuration_need_no_store() -> None:
    keys = FakeKeys(away=True)
    man = doorman(keys, RECORD)

    assert (await man.admit(bringing(KEY))).key == RECORD.id
    assert (await refused(man, NOBODY)).status == 401


async def test_a_key_that_fails_open_is_let_in_while_the_store_is_away() -> None:
    record, key = made(terms=OPEN, expires=FakeClock().wall() + 100)
    keys, clock = holding(record), FakeClock()
    man = doorman(keys, clock=clock)
    seen = await man.admit(bringing(key))
    keys.away = True
    clock.at += 50

    assert await man.admit(bringing(key)) is seen
    wrong = bringing(key[:-1] + (b"b" if key[-1:] == b"a" else b"a"))
    assert isinstance(await refused(man, wrong), StoreUnavailable)
    clock.at += 50
    assert isinstance(await refused(man, bringing(key)), StoreUnavailable)


async def test_a_key_that_fails_closed_or_was_never_seen_waits_for_the_store() -> None:
    unseen, unseen_key = made("unseen", seed=3, terms=OPEN)
    keys, clock = holding(RECORD, unseen), FakeClock()
    man = doorman(keys, clock=clock)
    await man.admit(bringing(KEY))
    keys.away = True
    clock.at += FRESH_SECONDS

    assert isinstance(await refused(man, bringing(KEY)), StoreUnavailable)
    assert isinstance(await refused(man, bringing(unseen_key)), StoreUnavailable)
