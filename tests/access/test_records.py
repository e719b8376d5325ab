"""A key's life: made, renamed, rotated, revoked, looked up."""

import pytest

from gateway.access.directory import Directory, Team
from gateway.access.records import (
    NewKey,
    Status,
    created,
    looked_up,
    refuse_unknown_team,
    revoked,
    rotated,
    status,
)
from gateway.access.token import RANDOM_BYTES, proves
from gateway.errors import InvalidValue, NotFound
from gateway.principal import KeyRecord, Terms
from tests.access.fakes import Dice, later, made

RECORD, KEY = made(team="search", terms=Terms(parallel=2), expires=2_000.0, at=1_000.0)


def test_a_new_key_has_what_was_asked_for_and_proves_itself() -> None:
    assert (RECORD.name, RECORD.team, RECORD.terms) == ("search-prod", "search", Terms(parallel=2))
    assert (RECORD.created, RECORD.expires, RECORD.revoked) == (1_000.0, 2_000.0, None)
    assert proves(KEY, RECORD)


def test_living_keys_do_not_share_a_name_but_a_revoked_one_gives_its_up() -> None:
    with pytest.raises(InvalidValue, match="Another key has this name") as taken:
        again(RECORD)

    assert taken.value.param == "name"
    assert again(revoked(RECORD, 1_500.0)).name == RECORD.name


def again(other: KeyRecord) -> KeyRecord:
    asked = NewKey(other.name)
    return created(asked, [other], randomness=Dice(5)(RANDOM_BYTES), now=1.0)[0]


def test_a_key_is_active_until_it_expires_or_is_revoked() -> None:
    assert status(RECORD, 1_999.9) is Status.ACTIVE
    assert status(RECORD, 2_000.0) is Status.EXPIRED
    assert status(revoked(RECORD, 1_500.0), 1_500.0) is Status.REVOKED
    assert status(later(RECORD, expires=None), 1e12) is Status.ACTIVE


def test_a_rotated_key_keeps_everything_but_its_secret() -> None:
    fresh, key = rotated(RECORD, randomness=Dice(2)(RANDOM_BYTES))

    assert later(fresh, salt=RECORD.salt, digest=RECORD.digest) == RECORD
    assert proves(key.reveal().encode(), fresh)
    assert not proves(KEY, fresh)
    assert fresh.salt != RECORD.salt


def test_a_revoked_key_is_not_rotated_back_to_life() -> None:
    with pytest.raises(InvalidValue, match="create a new one"):
        rotated(revoked(RECORD, 1_500.0), randomness=Dice(2)(RANDOM_BYTES))


def test_revoking_again_changes_nothing() -> None:
    once = revoked(RECORD, 1_500.0)

    assert revoked(once, 1_600.0) is once


def test_a_key_is_found_by_name_by_id_and_by_what_a_list_shows() -> None:
    other = made("production", seed=2)[0]
    records = [RECORD, other]

    assert looked_up("search-prod", records) is RECORD
    assert looked_up(RECORD.id, records) is RECORD
    assert looked_up(f"tg-{RECORD.id}", records) is RECORD
    assert looked_up(KEY.decode(), records) is RECORD
    # Ten letters, as an id has, and a name all the same.
    assert looked_up("production", records) is other


def test_a_name_means_its_living_key_or_else_the_last_that_had_it() -> None:
    old, older = revoked(made(seed=3)[0], 1.0), revoked(made(seed=4)[0], 1.0)

    assert looked_up("search-prod", [old, RECORD, older]) is RECORD
    assert looked_up("search-prod", [old, older]) is older


@pytest.mark.parametrize("said", ["nobody", "tg-aaaaaaaaaa", "", "tg-"])
def test_what_names_no_key_is_not_found_and_not_quoted(said: str) -> None:
    with pytest.raises(NotFound) as missing:
        looked_up(said, [RECORD])

    assert missing.value.message == "There is no key of this name or id."


def test_a_team_must_be_described_once_any_is() -> None:
    some = Directory({"search": Team(), "billing": Team()})

    refuse_unknown_team("anything", Directory())
    refuse_unknown_team("search", some)
    refuse_unknown_team("", some)
    with pytest.raises(InvalidValue, match="did you mean `search`") as unknown:
        refuse_unknown_team("serch", some)
    with pytest.raises(InvalidValue, match=r"in the configuration\.$"):
        refuse_unknown_team("zzz", some)
    assert unknown.value.param == "team"
