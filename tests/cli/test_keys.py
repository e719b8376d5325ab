"""`tiergate keys` changes the keys of the store that the settings name."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.access.token import proves
from gateway.catalog import Tier
from gateway.cli.keys import here
from gateway.errors import StoreUnavailable
from gateway.money import usd
from gateway.principal import Allowance, Period, Terms
from gateway.settings.access import records
from gateway.settings.load import load
from tests.access.fakes import Dice, later, made
from tests.cli.counter import ENVIRON, Counter

CONFIGURED, CONFIGURED_KEY = made("from-file", seed=77)
FILE = """
teams: {search: {parallel: 4}}
keys: [{name: from-file, key: "${FILE_KEY}", team: search}]
"""
WITH_FILE = {**ENVIRON, "FILE_KEY": CONFIGURED_KEY.decode()}


@pytest.fixture(autouse=True)
def _empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_key_is_made_as_asked_and_printed_alone() -> None:
    there = Counter()

    code = there.create(
        team="search",
        expires="30d",
        allowances=["5usd/day", "20usd/month rolling"],
        requests_per_minute="60",
        tokens_per_minute="100k",
        tiers="nano,mini",
        clamp=False,
    )

    (record,) = there.keys.records.values()
    key = there.printed()
    assert code == 0
    assert proves(key.removesuffix("\n").encode(), record)
    assert (record.name, record.team) == ("search-prod", "search")
    assert (record.created, record.expires) == (
        there.clock.wall(),
        there.clock.wall() + 30 * 86_400,
    )
    assert record.terms == Terms(
        allowances=(
            Allowance(usd("5"), Period.DAY),
            Allowance(usd("20"), Period.MONTH, rolling=True),
        ),
        requests_per_minute=60,
        tokens_per_minute=100_000,
        tiers=frozenset({Tier.NANO, Tier.MINI}),
        clamp=False,
    )
    assert there.told().startswith(f"This is key search-prod (id {record.id}). It is shown this on")
    assert there.closed == 1


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"name": "a b"}, "error: NAME must be letters, digits and . _ : / @ - (at most 128)"),
        ({"allowances": ["5"]}, "error: --allowance must be money per minute, hour"),
        ({"requests_per_minute": "no"}, "error: --rpm must be a whole number above 0"),
        ({"tokens_per_minute": "0"}, "error: --tpm must be a whole number above 0"),
        ({"max_cost_usd": "x"}, "error: --max-cost-usd must be dollars such as 0.05"),
        ({"on_outage": "panic"}, "error: --on-outage must be 'fail_open' or 'fail_closed'"),
        ({"quality": "7"}, "error: --quality must be at most 1"),
    ],
)
def test_what_is_typed_wrong_is_told_by_its_option(said: dict[str, Any], sentence: str) -> None:
    there = Counter()

    code = there.create(**said)

    assert code == 2
    assert there.told().startswith(sentence)
    assert (there.opened, there.printed()) == ([], "")


@pytest.mark.parametrize("as_settings", [False, True])
@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"team": "serch"}, "did you mean `search`"),
        ({"expires": "soon"}, "expires must be a time from now such as"),
        ({"expires": "2020-01-31"}, "expires lies in the past."),
        ({"name": "from-file"}, "Another key has this name"),
    ],
)
def test_what_cannot_be_is_told_and_no_key_is_made(
    said: dict[str, str], words: str, as_settings: bool
) -> None:
    Path("tiergate.yaml").write_text(FILE)
    there = Counter(WITH_FILE)

    code = there.create(**said, as_settings=as_settings)

    assert code == 1
    assert words in there.told()
    assert (there.keys.records, there.printed()) == ({}, "")


def test_a_key_is_not_put_where_it_would_be_forgotten() -> None:
    there = Counter({**ENVIRON, "GATEWAY_STORE_DATA": "memory"})
    redis = Counter(
        {**ENVIRON, "GATEWAY_STORE_DATA": "memory", "GATEWAY_REDIS_URL": "redis://there"}
    )

    assert (there.create(), redis.create()) == (1, 0)
    assert "keys and spend end with the process" in there.told()
    assert there.opened == []


def test_a_key_may_be_printed_for_the_configuration_instead() -> None:
    there = Counter()

    code = there.create(
        "ci", as_settings=True, allowances=["1usd/day"], expires="2027-01-31", parallel="2"
    )

    lines, told = there.printed(), there.told()
    key = told.rsplit(" ", 1)[1].strip()
    assert (code, there.opened) == (0, [])
    assert key.startswith("tg-")
    assert key[14:] not in lines
    Path("made.yaml").write_text(lines)
    (record,) = records(load(Path("made.yaml"), ENVIRON), Dice())
    assert proves(key.encode(), record)
    assert (record.name, record.team, record.expires) == ("ci", "", 1_801_353_600)
    assert record.terms == Terms(allowances=(Allowance(usd("1"), Period.DAY),), parallel=2)
    assert list(yaml.safe_load(lines)["keys"][0]) == [
        *("name", "digest", "expires", "allowances", "parallel")
    ]


def test_a_list_shows_every_key_and_nothing_that_would_open_anything() -> None:
    Path("tiergate.yaml").write_text(FILE)
    there = Counter(WITH_FILE)
    there.create(allowances=["5usd/day"], requests_per_minute="60", tiers="nano,mini")
    there.create("old", expires="1h")
    keys = [CONFIGURED_KEY.decode(), *there.printed().split()]
    there.clock.at += 3_600

    code = there.desk.listed(None, team="", as_json=False)

    table = there.printed()
    rows = [line.split() for line in table.splitlines()[1:]]
    ids = list(there.keys.records)
    assert code == 0
    assert rows[0][:4] == [CONFIGURED.id, "from-file", "search", "active"]
    assert rows[1] == [
        *(ids[0], "search-prod", "–", "active", "–"),
        *("5usd/day;", "60", "rpm;", "nano,mini"),
    ]
    assert rows[2][:4] == [ids[1], "old", "–", "expired"]
    for secret in (*keys, *(key[14:] for key in keys), "digest"):
        assert secret not in table


def test_a_list_may_be_of_one_team_and_in_json() -> None:
    Path("tiergate.yaml").write_text(FILE)
    there = Counter(WITH_FILE)
    there.create()
    there.printed()

    code = there.desk.listed(None, team="search", as_json=True)

    (row,) = json.loads(there.printed())
    assert code == 0
    assert (row["name"], row["source"]) == ("from-file", "configuration")


def test_an_empty_list_says_so() -> None:
    there = Counter()

    assert there.desk.listed(None, team="", as_json=False) == 0
    assert (there.printed(), there.told()) == ("", "There are no keys.\n")


def test_a_key_is_revoked_by_its_name_and_keeps_its_record() -> None:
    there = Counter()
    there.create()

    assert there.desk.revoke(None, "search-prod") == 0

    (record,) = there.keys.records.values()
    assert record.revoked == there.clock.wall()
    assert f"Key search-prod (id {record.id}) is revoked." in there.told()


def test_a_key_is_rotated_under_its_id() -> None:
    there = Counter()
    there.create(parallel="3")
    (before,), old = there.keys.records.values(), there.printed().strip()

    assert there.desk.rotate(None, before.id) == 0

    (after,), new = there.keys.records.values(), there.printed().strip()
    assert proves(new.encode(), after)
    assert not proves(old.encode(), after)
    assert later(after, salt=before.salt, digest=before.digest) == before
    assert "the old one is dead" in there.told()


def test_keys_of_the_configuration_are_changed_there() -> None:
    Path("tiergate.yaml").write_text(FILE)
    there = Counter(WITH_FILE)

    assert there.desk.revoke(None, "from-file") == 1
    assert there.desk.rotate(None, CONFIGURED.id) == 1
    assert there.told().count("This key stands in the configuration; change it there.") == 2


def test_a_key_that_is_not_there_is_told_without_quoting() -> None:
    there = Counter()

    assert there.desk.revoke(None, "tg-canarycana-canary") == 1
    assert there.told() == "error: There is no key of this name or id.\n"


def test_a_store_that_cannot_be_opened_is_told() -> None:
    away = Counter(fails=StoreUnavailable("Redis cannot be reached."))
    locked = Counter(fails=PermissionError(13, "Permission denied"))

    assert (away.create(), locked.create()) == (1, 1)
    assert away.told() == "error: Redis cannot be reached.\n"
    assert locked.told() == "error: the store cannot be opened: Permission denied\n"


def test_a_bad_configuration_opens_nothing() -> None:
    Path("tiergate.yaml").write_text("server: {prot: 1}")
    there = Counter()

    codes = [
        there.create(),
        there.create(as_settings=True),
        there.desk.listed(None, team="", as_json=False),
        there.desk.revoke(None, "a"),
    ]

    assert codes == [78] * 4
    assert there.opened == []


def test_the_desk_of_this_process_makes_keys_that_nobody_can_guess() -> None:
    desk = here()

    assert desk.randomness(32) != desk.randomness(32)
    assert desk.wall() > 1_700_000_000
