"""What is wrong with keys, teams, organisations and stores is said, with its line."""

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import pytest

from gateway.settings.advice import warnings
from gateway.settings.catalog import build
from gateway.settings.complaints import Complaint
from gateway.settings.schema import Settings
from tests.access.fakes import made

Load = Callable[..., Settings]
Complain = Callable[..., list[Complaint]]

KEY = made()[1].decode()
ENVIRON: Mapping[str, str] = {"OPENAI_API_KEY": "sk-abc", "K": KEY, "L": made(seed=2)[1].decode()}


def told(complaints: list[Complaint]) -> list[tuple[int, str, str]]:
    return [(one.line, one.where, one.message) for one in complaints]


def test_teams_and_organisations_that_are_not_there_are_said_with_the_nearest(
    complaints: Complain,
) -> None:
    found = complaints(
        """
        organisations: {acme: {}}
        teams:
          search: {organisation: acmee}
          billing: {organisation: zzz}
        keys:
          - name: a
            key: ${K}
            team: serch
        """,
        ENVIRON,
    )

    assert told(found) == [
        (4, "teams.search.organisation", NOT.format("organisations", " (did you mean `acme`?)")),
        (5, "teams.billing.organisation", NOT.format("organisations", "")),
        (9, "keys[0].team", NOT.format("teams", " (did you mean `search`?)")),
    ]


NOT = "is not described under `{}`{}"


def test_models_that_nobody_knows_are_said_with_the_nearest(complaints: Complain) -> None:
    (found,) = complaints("teams:\n  a:\n    models: [gpt-4.1, gpt-4.1-mni]", ENVIRON)

    assert told([found]) == [
        (3, "teams.a.models[1]", "is no known model (did you mean `gpt-4.1-mini`?)")
    ]


def test_two_keys_may_not_share_a_name_or_a_secret(complaints: Complain) -> None:
    found = complaints(
        """
        keys:
          - {name: a, key: "${K}"}
          - {name: a, key: "${L}"}
          - {name: b, key: "${K}"}
        """,
        ENVIRON,
    )

    assert told(found) == [
        (4, "keys[1].name", "is the name of another key"),
        (5, "keys[2]", "is the same key as another"),
    ]


ONE = "needs one of `key`, `key_file` and `digest`"
MADE = "must be a key that `tiergate keys create` made (tg-…)"


@pytest.mark.parametrize(
    ("said", "where", "message"),
    [
        ("{name: a}", "keys[0]", ONE),
        ("{name: a, key: '${K}', key_file: x}", "keys[0]", ONE),
        ("{name: a, key: sk-proj-0123456789abcdef}", "keys[0].key", MADE),
        ("{name: a, key: ''}", "keys[0].key", "is empty"),
        (
            "{name: a, digest: canary}",
            "keys[0].digest",
            "must be what `tiergate keys create NAME --settings` printed",
        ),
        (
            "{name: a, digest: [1]}",
            "keys[0].digest",
            "must be what `tiergate keys create NAME --settings` printed",
        ),
        (
            "{name: a, key_file: nowhere}",
            "keys[0].key_file",
            "cannot be read: No such file or directory",
        ),
        ("{name: a b, key: '${K}'}", "keys[0].name", "must be letters, digits and . _ : / @ -"),
        ("{name: a, key: '${K}', tems: x}", "keys[0].tems", "is no setting (did you mean `team`?)"),
        (
            "{name: a, key: '${K}', expires: 30d}",
            "keys[0].expires",
            "must be a date such as 2027-01-31 or a moment such as 2027-01-31T12:00:00Z",
        ),
        (
            "{name: a, key: '${NO}'}",
            "keys[0].key",
            "needs the environment variable NO, which is not set",
        ),
    ],
)
def test_a_key_that_cannot_be_used_is_said_once(
    complaints: Complain, said: str, where: str, message: str
) -> None:
    (found,) = complaints(f"keys:\n  - {said}", ENVIRON)

    assert (found.line, found.where) == (2, where)
    assert found.message.startswith(message)
    assert "canary" not in found.message
    assert "sk-proj" not in found.message


def test_a_key_file_that_holds_something_else_is_said(complaints: Complain, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"\xff canary")

    (found,) = complaints(f"keys: [{{name: a, key_file: {path}}}]", ENVIRON)

    assert told([found]) == [(1, "keys[0].key_file", MADE)]


MONEY = (
    "must be money per minute, hour, day, week or month, such as 5usd/day or 20usd/month rolling"
)
COUNT = "must be a whole number above 0, such as 60, 100k or 1.5m"


@pytest.mark.parametrize(
    ("term", "where", "message"),
    [
        ("allowances: 5usd", "allowances[0]", MONEY),
        ("allowances: [5]", "allowances[0]", MONEY),
        (
            "allowances: [5usd/day, 6usd/day]",
            "allowances",
            "has two allowances for the same window",
        ),
        ("requests_per_minute: 0", "requests_per_minute", COUNT),
        ("tokens_per_minute: many", "tokens_per_minute", COUNT),
        ("parallel: -1", "parallel", COUNT),
        ("tiers: []", "tiers", "must not be empty"),
        ("tiers: [nanno]", "tiers[0]", "must be 'nano', 'mini' or 'full' (did you mean `nano`?)"),
        ("models: []", "models", "must not be empty"),
        ("quality: 2", "quality", "must be at most 1"),
        ("max_cost_usd: free", "max_cost_usd", "must be dollars such as 0.05"),
        ("max_cost_usd: 0", "max_cost_usd", "must be dollars such as 0.05"),
        ("max_cost_usd: true", "max_cost_usd", "must be dollars such as 0.05"),
        ("deadline: 0", "deadline", "must be more than 0"),
        ("hold: wurst", "hold", "must be 'worst' or 'expected' (did you mean `worst`?)"),
        ("on_outage: open", "on_outage", "must be 'fail_open' or 'fail_closed'"),
        ("cache_scope: all", "cache_scope", "must be 'key', 'team' or 'organisation'"),
        ("allowance: 5usd/day", "allowance", "is no setting (did you mean `allowances`?)"),
    ],
)
def test_a_term_that_cannot_be_is_said(
    complaints: Complain, term: str, where: str, message: str
) -> None:
    (found,) = complaints(f"teams:\n  search:\n    {term}", ENVIRON)

    assert (found.line, found.where) == (3, f"teams.search.{where}")
    assert found.message.startswith(message)


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("admin: {enabled: true}", "admin.enabled", "would let anyone make keys: it needs"),
        ("admin: {key: short}", "admin.key", "is too short: take at least 16"),
        ("store: {redis_url: 'http://canary'}", "store.redis_url", "must be an address such as"),
        ("store: {redis_url: 'redis://[canary'}", "store.redis_url", "must be an address such as"),
        ("store: {redis_url: 'redis://canary x'}", "store.redis_url", "must be an address such as"),
        ("store: {redis_url: 7}", "store.redis_url", "must be an address such as"),
        ("store: {redis_url: 'redis:'}", "store.redis_url", "must be an address such as"),
        ("store: {redis_ca_file: nowhere}", "store.redis_ca_file", "is no file that can be read"),
        ("store: {data: ''}", "store.data", "must not be empty"),
    ],
)
def test_stores_and_the_admin_api_are_checked(
    complaints: Complain, text: str, where: str, message: str
) -> None:
    (found,) = complaints(text, ENVIRON)

    assert (found.line, found.where) == (1, where)
    assert found.message.startswith(message)
    assert "canary" not in found.message


def test_a_slip_elsewhere_does_not_hide_what_is_wrong_with_the_keys(complaints: Complain) -> None:
    found = complaints(
        "server: {prot: 1}\nkeys:\n  - {name: a, key: '${K}', team: serch}\nteams: {search: {}}",
        ENVIRON,
    )

    assert [one.where for one in found] == ["server.prot", "keys[0].team"]


def test_lists_of_keys_have_no_variable(configured: Load) -> None:
    assert configured("", {**ENVIRON, "GATEWAY_KEYS": "x"}).keys == ()


# ── warnings ─────────────────────────────────────────────────────────────────
def warned(settings: Settings) -> list[str]:
    return warnings(settings, build(settings), today=date(2026, 1, 1), environ={})


@pytest.mark.parametrize(
    ("host", "text", "words"),
    [
        ("127.0.0.1", "", []),
        ("localhost", "", []),
        ("0.0.0.0", "", ["No keys are configured: callers from other machines are refused"]),  # noqa: S104 - warned of
        ("gateway.local", "", ["No keys are configured: callers from other machines"]),
        ("0.0.0.0", "access: {open: true}", []),  # noqa: S104 - warned of
        ("0.0.0.0", "keys: [{name: a, key: '${K}'}]", []),  # noqa: S104 - warned of
        (
            "::1",
            "access: {open: true}\nkeys: [{name: a, key: '${K}'}]",
            ["access.open lets callers without a key in, past the limits of every key"],
        ),
    ],
)
def test_a_gateway_that_is_more_or_less_open_than_it_looks_is_pointed_out(
    configured: Load, host: str, text: str, words: list[str]
) -> None:
    settings = configured(text, {**ENVIRON, "GATEWAY_SERVER_HOST": host})

    found = warned(settings)

    assert [one[: len(word)] for one, word in zip(found, words, strict=True)] == words


def test_a_model_that_is_allowed_but_stands_nowhere_is_pointed_out(configured: Load) -> None:
    settings = configured("teams: {a: {models: [gpt-5, gpt-4.1]}}", ENVIRON)

    assert warned(settings) == ["teams.a may use gpt-5, which stands behind no tier."]
