"""The doctor looks at everything, and says what to do about each thing."""

import socket
from datetime import date
from pathlib import Path

import pytest

from gateway.app import doctor as ward
from gateway.app.doctor import Finding, Verdict, doctor
from gateway.app.survey import Behind, account
from gateway.settings.catalog import build
from gateway.settings.load import load
from gateway.settings.schema import Settings
from gateway.store.redis.store import Health
from gateway.upstream.listing import Listing

KEY = {"OPENAI_API_KEY": "sk-abcdefgh", "GATEWAY_SERVER_PORT": "0"}
OK, WARN, FAIL = Verdict.OK, Verdict.WARN, Verdict.FAIL


def settings(**environ: str) -> Settings:
    return load(None, KEY | environ)


def upstreams(told: Listing) -> list[Finding]:
    catalog = build(settings())
    whose = account(next(catalog.deployments()))
    return list(ward.upstreams(catalog, {whose: told}, simulated=False))


def behind(**more: object) -> Behind:
    usual: dict[str, object] = {
        "tier": "nano",
        "deployment": "nano",
        "model": "m",
        "sent": "m",
        "presence": "present",
        "shutdown": None,
        "days_left": None,
        "successor": "",
        "successor_presence": "",
    }
    return Behind(**{**usual, **more})  # type: ignore[arg-type]  # a test's own table


@pytest.mark.parametrize(
    ("told", "verdict", "words", "advice"),
    [
        (Listing({"m": None}, 200, "", 0.1), OK, "takes the key, lists 1 models, in 100 ms", ""),
        (Listing({}, 401, "the key is not accepted"), FAIL, "not accepted", "Set another key"),
        (Listing({}, 0, "it cannot be reached"), FAIL, "cannot be reached", "Is the address right"),
        (Listing({}, 404, "it has no list of models"), WARN, "no list", "may work all the same"),
    ],
)
def test_an_upstream_takes_the_key_or_the_doctor_says_what_to_do(
    told: Listing, verdict: Verdict, words: str, advice: str
) -> None:
    (found,) = upstreams(told)

    assert found.about == "upstream api.openai.com (nano, mini, full)"
    assert found.verdict is verdict
    assert words in found.words
    assert advice in found.advice
    assert "sk-abcdefgh" not in str(found)


@pytest.mark.parametrize(
    ("skew", "verdict", "words"),
    [(0.4, OK, "agrees"), (-30.0, WARN, "30 s ahead of"), (90.0, FAIL, "90 s behind")],
)
def test_a_clock_that_is_off_is_told_by_the_upstreams(
    skew: float, verdict: Verdict, words: str
) -> None:
    _, found = upstreams(Listing({}, 200, "", 0.1, skew))

    assert (found.about, found.verdict) == ("clock", verdict)
    assert words in found.words


@pytest.mark.parametrize(
    ("one", "verdict", "words"),
    [
        (behind(), OK, "is there"),
        (behind(presence="unknown"), OK, "cannot be looked up"),
        (behind(days_left=90, shutdown=date(2027, 1, 1)), OK, "until 2027-01-01 (90 days)"),
        (behind(days_left=9, shutdown=date(2027, 1, 1)), WARN, "ends on 2027-01-01, in 9 days"),
        (behind(days_left=-1, presence="unknown"), FAIL, "ended on"),
        (behind(days_left=-1), WARN, "ended on"),
        (behind(days_left=-1, successor="n", successor_presence="present"), WARN, "n takes its"),
        (behind(presence="missing"), FAIL, "does not have it"),
        (behind(presence="missing", successor="n", successor_presence="present"), WARN, "n takes"),
        (behind(presence="missing", successor="n", successor_presence="missing"), FAIL, "n takes"),
    ],
)
def test_a_models_end_is_seen_coming(one: Behind, verdict: Verdict, words: str) -> None:
    found = ward.lifecycle(one)

    assert found.verdict is verdict
    assert words in found.words


@pytest.mark.parametrize(
    ("health", "verdict", "words"),
    [
        (Health("r:6379", 0.0002, "7.0.15"), OK, "version 7.0.15, answers in 0.20 ms"),
        (Health("r:6379", trouble="connection refused"), FAIL, "refused"),
        (Health("r:6379", 0.0002, "5.0.7"), FAIL, "version 5.0.7"),
        (Health("r:6379", 0.02, "7.2.0"), WARN, "answers in 20.00 ms"),
        (Health("r:6379", 0.0002, "7.2.0", advice="use volatile-ttl"), WARN, "version"),
        (Health("r:6379", 0.0002, advice="INFO is not allowed"), WARN, "version unknown"),
    ],
)
def test_redis_is_there_new_enough_and_near(health: Health, verdict: Verdict, words: str) -> None:
    found = ward.redis(health)

    assert found.verdict is verdict
    assert words in found.words
    assert (found.advice == "") is (verdict is OK)


def test_a_store_needs_a_place(tmp_path: Path) -> None:
    kept = ward.store(settings(GATEWAY_STORE_DATA=str(tmp_path / "deep" / "er")))
    forgotten = ward.store(settings(GATEWAY_STORE_DATA="memory"))
    (tmp_path / "file").write_text("")
    nowhere = ward.store(settings(GATEWAY_STORE_DATA=str(tmp_path / "file" / "below")))
    far = ward.store(settings(GATEWAY_REDIS_URL="redis://127.0.0.1:1/0"))
    odd = ward.store(settings(GATEWAY_REDIS_URL="redis://127.0.0.1:1/x?nonsense=1"))

    assert kept.verdict is OK
    assert "GiB free" in kept.words
    assert forgotten.verdict is WARN
    assert nowhere.verdict is FAIL
    assert (far.verdict, odd.verdict) == (FAIL, FAIL)


def test_sockets_and_the_port_must_suffice() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        busy = ward.port("127.0.0.1", taken.getsockname()[1])

    assert busy.verdict is WARN
    assert "in use" in busy.words
    assert ward.port("::1", 0).about == "port ::1:0"
    assert ward.descriptors(settings(), 1024).advice.startswith("Raise the limit (`ulimit -n 2112`")
    assert ward.descriptors(settings(), -1).verdict is OK


def test_a_simulation_is_healthy_and_said_to_be_one(tmp_path: Path) -> None:
    said = load(None, {"GATEWAY_SERVER_PORT": "0", "GATEWAY_STORE_DATA": str(tmp_path)})

    found = doctor(said, {})

    assert {one.verdict for one in found} == {OK, WARN}
    assert [one.words for one in found if one.verdict is WARN] == ["answers are simulated"]
    assert found[0].document()["verdict"] == "ok"


def test_warnings_of_the_configuration_are_findings() -> None:
    said = settings()

    found = list(ward.configuration(said, build(said), date(2026, 11, 24), {}))

    assert [one.verdict for one in found] == [WARN]


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ward, "NEEDED", ("httpx", "no-such-package"))

    (found,) = ward.versions()

    assert found.verdict is FAIL
    assert "no-such-package" in found.words
