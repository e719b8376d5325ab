"""What every `Keys` must do, as tests: import them all where a fixture `ring` gives one.

`ring` is a fresh, empty store of keys, how to let seconds pass for it, and another process's view
of the same store.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from gateway.catalog import Tier
from gateway.money import NanoUSD
from gateway.ports import Keys
from gateway.principal import (
    Allowance,
    CacheScope,
    HoldPolicy,
    KeyRecord,
    Outage,
    Period,
    Terms,
)

__all__ = [
    "test_a_change_made_of_what_another_process_changed_is_not_kept",
    "test_a_key_comes_back_as_it_was_put",
    "test_a_key_nobody_made_is_unknown",
    "test_all_keys_are_told_oldest_first",
    "test_what_another_process_changes_shows_within_two_seconds",
    "test_what_changes_of_a_key_shows_at_once_where_it_was_changed",
]


@dataclass(slots=True)
class Ring:
    """Keys under test; `beside` is what another process has of them."""

    keys: Keys
    let_pass: Callable[[float], Awaitable[None]]
    beside: Keys


TERMS = Terms(
    allowances=(
        Allowance(NanoUSD(5_000_000_001), Period.DAY),
        Allowance(NanoUSD(20), Period.MONTH, rolling=True),
    ),
    requests_per_minute=60,
    tokens_per_minute=100_000,
    parallel=3,
    tiers=frozenset({Tier.NANO, Tier.MINI}),
    models=frozenset({"gpt-4.1-nano", "größer"}),
    quality=0.25,
    max_cost=NanoUSD(7),
    deadline=12.5,
    hold=HoldPolicy.EXPECTED,
    clamp=False,
    outage=Outage.OPEN,
    cache_scope=CacheScope.TEAM,
)
RECORD = KeyRecord(
    "k1", "alice's laptop", "search", bytes(range(16)), b"\x00\xff" * 16, 1_790_000_000.25
)


async def test_a_key_nobody_made_is_unknown(ring: Ring) -> None:
    assert await ring.keys.find("k1") is None
    assert await ring.keys.find("") is None
    assert await ring.keys.every() == []


async def test_a_key_comes_back_as_it_was_put(ring: Ring) -> None:
    full = replace(RECORD, id="k2", expires=1_900_000_000.5, revoked=0.0, terms=TERMS)

    await ring.keys.put(RECORD)
    await ring.keys.put(full)

    assert await ring.keys.find("k1") == RECORD
    assert await ring.keys.find("k2") == full
    await ring.let_pass(2)
    assert await ring.keys.find("k1") == RECORD
    assert await ring.keys.find("k2") == full


async def test_what_changes_of_a_key_shows_at_once_where_it_was_changed(ring: Ring) -> None:
    await ring.keys.put(RECORD)
    await ring.keys.find("k1")
    revoked = replace(RECORD, revoked=1_795_000_000.0)

    await ring.keys.put(revoked)

    assert await ring.keys.find("k1") == revoked
    assert await ring.keys.every() == [revoked]


async def test_what_another_process_changes_shows_within_two_seconds(ring: Ring) -> None:
    assert await ring.keys.find("k1") is None

    await ring.beside.put(RECORD)
    await ring.let_pass(2)
    assert await ring.keys.find("k1") == RECORD

    await ring.beside.put(replace(RECORD, revoked=5.0))
    await ring.let_pass(2)
    assert await ring.keys.find("k1") == replace(RECORD, revoked=5.0)


async def test_all_keys_are_told_oldest_first(ring: Ring) -> None:
    for name, created in (("b", 2.0), ("c", 3.0), ("a", 1.0)):
        await ring.keys.put(replace(RECORD, id=name, created=created))

    assert [record.id for record in await ring.keys.every()] == ["a", "b", "c"]


async def test_a_change_made_of_what_another_process_changed_is_not_kept(ring: Ring) -> None:
    await ring.keys.put(RECORD)
    await ring.keys.find("k1")
    await ring.let_pass(2)
    await ring.beside.find("k1")
    revoked, renamed = replace(RECORD, revoked=5.0), replace(RECORD, name="other")

    assert await ring.beside.put(revoked, over=RECORD)
    assert not await ring.keys.put(renamed, over=RECORD)
    assert await ring.keys.find("k1") == revoked
    assert await ring.keys.put(replace(renamed, revoked=5.0), over=revoked)
    assert await ring.keys.every() == [replace(renamed, revoked=5.0)]
    assert not await ring.keys.put(replace(RECORD, id="none"), over=RECORD)
