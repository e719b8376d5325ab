"""A change is kept only over what it was made of."""

from dataclasses import replace

import pytest

from gateway.access.changing import TRIES, change
from gateway.errors import StoreUnavailable
from gateway.principal import KeyRecord
from tests.access.fakes import FakeKeys, holding

RECORD = KeyRecord("k1", "one", "", b"salt", b"digest", created=1.0)


async def test_a_change_that_met_another_is_made_again_of_what_is_there_now() -> None:
    keys, others = holding(RECORD), [replace(RECORD, revoked=5.0)]

    def renamed(before: KeyRecord) -> KeyRecord:
        if others:
            # Another replica revokes the key between the look and the writing.
            keys.records["k1"] = others.pop()
        return replace(before, name="two")

    kept = await change(keys, lambda: found(keys), renamed)

    assert kept == keys.records["k1"] == replace(RECORD, name="two", revoked=5.0)


async def test_a_key_that_changes_all_the_time_is_given_up() -> None:
    keys, made = holding(RECORD), []

    def overtaken(before: KeyRecord) -> KeyRecord:
        made.append(before)
        keys.records["k1"] = replace(before, created=before.created + 1)
        return before

    with pytest.raises(StoreUnavailable, match="all the time"):
        await change(keys, lambda: found(keys), overtaken)

    assert len(made) == TRIES


async def found(keys: FakeKeys) -> KeyRecord:
    return keys.records["k1"]
