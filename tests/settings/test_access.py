"""Keys, teams and organisations of a configuration, built into who may call."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.access.directory import Directory, Team
from gateway.access.token import Kept, proves, spell_kept
from gateway.catalog import Secret, Tier
from gateway.money import usd
from gateway.principal import Allowance, CacheScope, HoldPolicy, Outage, Period, Terms
from gateway.settings import access
from gateway.settings.complaints import SettingsError
from gateway.settings.schema import Settings
from tests.access.fakes import Dice, made

Load = Callable[..., Settings]

RECORD, KEY = made()
ENVIRON = {"OPENAI_API_KEY": "sk-abc", "SEARCH_KEY": KEY.decode()}
KEPT = spell_kept(Kept(RECORD.id, RECORD.salt, RECORD.digest))

WHOLE = """
    organisations:
      acme:
        allowances: [1000usd/month]
        cache_scope: organisation
    teams:
      search:
        organisation: acme
        allowances: "50usd/day, 5usd/minute rolling"
        tokens_per_minute: 1.5m
        tiers: [nano, mini]
        on_outage: fail_open
    keys:
      - name: search-prod
        key: ${SEARCH_KEY}
        team: search
        expires: 2027-01-31
        allowances: [5usd/day]
        requests_per_minute: 60
        tokens_per_minute: 100k
        parallel: 8
        models: gpt-4.1-nano, gpt-4.1-mini
        quality: 0.3
        max_cost_usd: 0.05
        deadline: 30s
        hold: expected
        clamp: false
"""


def test_everything_that_can_be_said_arrives(configured: Load) -> None:
    settings = configured(WHOLE, ENVIRON)

    assert access.directory(settings) == Directory(
        {
            "search": Team(
                "acme",
                Terms(
                    allowances=(
                        Allowance(usd("50"), Period.DAY),
                        Allowance(usd("5"), Period.MINUTE, rolling=True),
                    ),
                    tokens_per_minute=1_500_000,
                    tiers=frozenset({Tier.NANO, Tier.MINI}),
                    outage=Outage.OPEN,
                ),
            )
        },
        {
            "acme": Terms(
                allowances=(Allowance(usd("1000"), Period.MONTH),),
                cache_scope=CacheScope.ORGANISATION,
            )
        },
    )
    (record,) = access.records(settings, Dice())
    assert (record.id, record.name, record.team) == (RECORD.id, "search-prod", "search")
    assert record.expires == 1_801_353_600
    assert record.terms == Terms(
        allowances=(Allowance(usd("5"), Period.DAY),),
        requests_per_minute=60,
        tokens_per_minute=100_000,
        parallel=8,
        models=frozenset({"gpt-4.1-nano", "gpt-4.1-mini"}),
        quality=0.3,
        max_cost=usd("0.05"),
        deadline=30.0,
        hold=HoldPolicy.EXPECTED,
        clamp=False,
    )


def test_without_any_of_it_nobody_has_a_key(configured: Load) -> None:
    settings = configured("", ENVIRON)

    assert access.directory(settings) == Directory()
    assert access.records(settings, Dice()) == ()
    assert not settings.access.open
    assert (settings.store.redis_url, settings.store.data) == (None, ".tiergate")
    assert settings.store.redis_timeout == 0.05


@pytest.mark.parametrize("how", ["key", "file", "digest"])
def test_a_key_may_stand_in_the_environment_in_a_file_or_as_a_digest(
    configured: Load, tmp_path: Path, how: str
) -> None:
    (tmp_path / "search.key").write_bytes(KEY + b"\n")
    said = {
        "key": "key: '${SEARCH_KEY}'",
        "file": f"key_file: {tmp_path / 'search.key'}",
        "digest": f"digest: {KEPT}",
    }[how]

    settings = configured(f"keys: [{{name: a, {said}}}]", ENVIRON)

    (record,) = access.records(settings, Dice())
    assert proves(KEY, record)
    assert not proves(made(seed=2)[1], record)


def test_a_key_in_the_clear_is_salted_anew_and_a_digest_is_kept(configured: Load) -> None:
    settings = configured("keys: [{name: a, key: '${SEARCH_KEY}'}]", ENVIRON)

    (first,), (second,) = (access.records(settings, Dice(seed)) for seed in (1, 2))

    assert first.salt != second.salt
    assert first.digest != second.digest


def test_a_key_file_that_vanished_is_said(configured: Load, tmp_path: Path) -> None:
    path = tmp_path / "search.key"
    path.write_bytes(KEY)
    settings = configured(f"keys: [{{name: a, key_file: {path}}}]", ENVIRON)
    path.unlink()

    with pytest.raises(SettingsError, match=r"keys\[0\]\.key_file: cannot be read: No such file"):
        access.records(settings, Dice())


def test_redis_is_switched_on_by_its_variable_alone(configured: Load) -> None:
    alias = configured("", ENVIRON | {"GATEWAY_REDIS_URL": "redis://a:6379/0"})
    long = configured("", ENVIRON | {"GATEWAY_STORE_REDIS_URL": "rediss://b"})
    several = configured("", ENVIRON | {"GATEWAY_REDIS_URL": "redis+sentinel://a:1,b:2/svc"})

    assert alias.store.redis_url == Secret("redis://a:6379/0")
    assert long.store.redis_url == Secret("rediss://b")
    assert several.store.redis_url == Secret("redis+sentinel://a:1,b:2/svc")


def test_what_must_be_scrubbed_from_the_log_is_listed(configured: Load) -> None:
    settings = configured(
        "keys: [{name: a, key: '${SEARCH_KEY}'}]\nadmin: {key: admin-canary-0123456789}",
        ENVIRON | {"GATEWAY_REDIS_URL": "redis://u:p%40ss@a/0?sentinel_password=canary2&db=1"},
    )

    found = {secret.reveal() for secret in access.secrets(settings)}

    assert found == {
        KEY.decode(),
        "admin-canary-0123456789",
        "redis://u:p%40ss@a/0?sentinel_password=canary2&db=1",
        "p%40ss",
        "p@ss",
        "canary2",
    }
    assert access.secrets(configured("", ENVIRON | {"GATEWAY_REDIS_URL": "redis://a"})) == [
        Secret("redis://a")
    ]
    assert access.secrets(configured("", ENVIRON)) == []


def test_no_secret_shows_in_the_settings(configured: Load) -> None:
    settings = configured(
        f"keys: [{{name: a, key: '${{SEARCH_KEY}}'}}, {{name: b, digest: {other()}}}]\n"
        "admin: {key: admin-canary-0123456789}",
        ENVIRON | {"GATEWAY_REDIS_URL": "redis://u:canary-password@a/0"},
    )
    shown = repr(settings) + str(settings) + settings.model_dump_json() + repr(settings.keys)

    digest, salt = other().split(".")[1:]
    for secret in (
        KEY.decode(),
        KEY[14:].decode(),
        "admin-canary",
        "canary-password",
        digest,
        salt,
    ):
        assert secret not in shown
    assert repr(bytes.fromhex(digest)) not in shown


def other() -> str:
    record, _ = made(seed=2)
    return spell_kept(Kept(record.id, record.salt, record.digest))
