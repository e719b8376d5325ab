"""From nothing, a key, or a file to settings; and every mistake told at once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.catalog import Secret
from gateway.settings.complaints import Complaint, SettingsError
from gateway.settings.load import find, installed, load
from gateway.settings.schema import Settings

Load = Callable[..., Settings]
Complain = Callable[..., list[Complaint]]


KEY = {"OPENAI_API_KEY": "sk-abc"}


@pytest.fixture(autouse=True)
def _empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_nothing_at_all_starts_the_simulation() -> None:
    settings = load(None, {})

    assert settings.simulate.enabled
    assert settings.server == Settings().server


def test_a_key_alone_serves_the_three_tiers() -> None:
    settings = load(None, KEY)

    assert not settings.simulate.enabled
    assert settings.catalog.key == Secret("sk-abc")
    assert settings.catalog.base_url == "https://api.openai.com/v1"


def test_a_base_url_alone_is_a_server_that_needs_no_key() -> None:
    settings = load(None, {"OPENAI_BASE_URL": "http://localhost:8000/v1"})

    assert not settings.simulate.enabled
    assert settings.catalog.key is None


@pytest.mark.parametrize("answer", ["true", "false"])
def test_whoever_says_whether_to_simulate_is_heard(answer: str) -> None:
    settings = load(None, KEY | {"GATEWAY_SIMULATE": answer})

    assert settings.simulate.enabled is (answer == "true")


def test_a_tier_named_in_the_environment_is_no_simulation() -> None:
    with pytest.raises(SettingsError, match="has no key"):
        load(None, {"GATEWAY_CATALOG_TIERS_NANO": "gpt-6-luna"})


def test_an_empty_key_is_refused_and_not_taken_for_none() -> None:
    with pytest.raises(SettingsError, match=r"^OPENAI_API_KEY: is empty$"):
        load(None, {"OPENAI_API_KEY": ""})


def test_the_files_key_wins_over_openais_variable(configured: Load) -> None:
    settings = configured("catalog: {key: sk-file}", KEY)

    assert settings.catalog.key == Secret("sk-file")


def test_a_preset_in_short_takes_openais_variables(configured: Load) -> None:
    settings = configured("catalog: gpt-5.4", KEY)

    assert (settings.catalog.preset, settings.catalog.key) == ("gpt-5.4", Secret("sk-abc"))


def test_a_file_without_a_key_is_refused_with_the_ways_out(complaints: Complain) -> None:
    (complaint,) = complaints("server: {port: 1}")

    assert "OPENAI_API_KEY" in complaint.message
    assert "simulate: true" in complaint.message


@pytest.mark.parametrize(("text", "message"), [("- a", "must be a mapping"), ("[ " * 50, "deeper")])
def test_what_is_wrong_with_the_whole_is_told_alone(
    complaints: Complain, text: str, message: str
) -> None:
    (complaint,) = complaints(text)

    assert message in complaint.message
    assert (complaint.line, complaint.where) == (1, "")


def test_a_section_with_everything_commented_out_says_nothing(configured: Load) -> None:
    settings = configured("server:\n  # port: 1\ncatalog:\n", KEY)

    assert settings.server.port == 8080
    assert settings.catalog.key == Secret("sk-abc")


def test_the_file_is_the_named_one_else_the_variables_else_the_directorys(tmp_path: Path) -> None:
    assert find(None, {}) is None
    assert find(None, {"TIERGATE_CONFIG": ""}) is None

    Path("tiergate.yaml").write_text("")

    assert find(None, {}) == Path("tiergate.yaml")
    assert find(None, {"TIERGATE_CONFIG": "b.yaml"}) == Path("b.yaml")
    assert find(tmp_path / "a.yaml", {"TIERGATE_CONFIG": "b.yaml"}) == tmp_path / "a.yaml"


def test_durations_sizes_and_words_are_read(configured: Load) -> None:
    settings = configured(
        """
        server: {max_body: 1MiB, drain: 5m, cors_origins: ["*"]}
        upstream: {first_byte_timeout: 1500ms, proxy: env, retry_budget: 0}
        breaker: {failures: 2, cooldown: 1}
        cache: {policy: off, ttl: 1h}
        log: {format: json}
        routing: {quality: 1}
        simulate: {enabled: true, seed: 7}
        """
    )

    assert (settings.server.max_body, settings.server.drain) == (2**20, 300.0)
    assert settings.server.cors_origins == ("*",)
    assert (settings.upstream.first_byte_timeout, settings.upstream.proxy) == (1.5, "env")
    assert (settings.cache.policy, settings.cache.ttl) == ("off", 3600.0)
    assert settings.simulate.seed == 7


def test_numbers_may_come_from_the_environment(configured: Load) -> None:
    settings = configured("server: {port: '${PORT}'}\nsimulate: ${SIM:-true}\n", {"PORT": "81"})

    assert settings.server.port == 81
    assert settings.simulate.enabled


def test_every_mistake_is_told_with_its_line_and_the_nearest_name(complaints: Complain) -> None:
    found = complaints(
        """\
        server:
          prot: 9000
          port: ${NOPE}
          drain: 5 parsecs
          max_headers: 2.5
          host: 5
        port: 7
        nonsense: 1
        log:
          format: jsn
        routing: 5
        upstream:
          max_attempts: 11
          http2: perhaps
          connect_timeout: 0
          ca_file: nowhere.pem
        catalog:
          preset: gpt-5.44
          models:
            foo:
              price: {prompt: 1, completion: 10001}
            bad name: {}
            bar: {knowledge_cutoff: soon, capabilities: vision}
          tiers:
            mini: gpt-4.1-minni
            full:
              - {model: gpt-4.1, wieght: 2}
            nano: []
        """
    )

    assert [(c.line, c.where, c.message) for c in found] == [
        (2, "server.prot", "is no setting (did you mean `port`?)"),
        (3, "server.port", "needs the environment variable NOPE, which is not set"),
        (4, "server.drain", DURATION),
        (5, "server.max_headers", "must be a whole number"),
        (6, "server.host", "must be text (put it in quotes)"),
        (7, "port", "is no setting (did you mean `server.port`?)"),
        (8, "nonsense", f"is no setting; there are {', '.join(Settings.model_fields)}"),
        (10, "log.format", "must be 'auto', 'json' or 'console' (did you mean `json`?)"),
        (11, "routing", "must be a mapping of settings to values"),
        (13, "upstream.max_attempts", "must be at most 10"),
        (14, "upstream.http2", "must be true or false"),
        (15, "upstream.connect_timeout", "must be more than 0.0"),
        (21, "catalog.models.foo.price.completion", PRICE),
        (22, "catalog.models.bad name", "must be letters, digits and . _ : / @ - (at most 128)"),
        (23, "catalog.models.bar.knowledge_cutoff", "must be a date such as 2027-01-14"),
        (27, "catalog.tiers.full[0].wieght", "is no setting (did you mean `weight`?)"),
        (28, "catalog.tiers.nano", "must list at least one deployment"),
    ]


DURATION = "must be a duration such as 250ms, 10s, 5m or 2h, or a number of seconds"
PRICE = "is more than $10,000 per million tokens: check the unit"


def test_a_slip_elsewhere_does_not_hide_one_in_the_catalog(complaints: Complain) -> None:
    found = complaints("server: {prot: 1}\ncatalog: gpt-5.44\nupstream: {ca_file: none.pem}\n", KEY)

    assert [(c.line, c.where) for c in found] == [(1, "server.prot"), (2, "catalog.preset")]


def test_what_the_machine_lacks_is_said_at_start(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("upstream: {ca_file: none.pem, http2: true}")

    with pytest.raises(SettingsError) as refused:
        load(path, KEY, has=lambda _: False)

    assert [c.where for c in refused.value.complaints] == ["upstream.ca_file", "upstream.http2"]
    assert "tiergate[http2]" in refused.value.complaints[1].message


def test_what_the_machine_has_is_used(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("upstream: {ca_file: a.yaml, http2: true}")

    assert load(path, KEY, has=lambda _: True).upstream.http2
    assert (installed("json"), installed("no_such_module")) == (True, False)


@pytest.mark.parametrize(
    "origin", ["example.com", "https://a.example/path", "ftp://a.example", "https://"]
)
def test_an_origin_that_no_browser_sends_is_refused(complaints: Complain, origin: str) -> None:
    (complaint,) = complaints(f"server: {{cors_origins: ['{origin}']}}", KEY)

    assert "origins such as" in complaint.message


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("api.openai.com", "an address such as"),
        ("ftp://a.example", "an address such as"),
        ("https://", "an address such as"),
        ("https://a.example:99999", "an address such as"),
        ("https://a b.example", "an address such as"),
        ("https://[::1", "an address such as"),
        ("https://ä.example", "an address such as"),
        ("https://user:sk-canary@a.example", "user name or password"),
        ("https://a.example/v1?key=sk-canary", "query"),
        ("https://a.example/v1#x", "query or fragment"),
    ],
)
def test_an_address_is_checked_and_not_quoted(complaints: Complain, url: str, reason: str) -> None:
    (complaint,) = complaints(f"catalog: {{base_url: '{url}'}}", KEY)

    assert reason in complaint.message
    assert "canary" not in complaint.message


def test_several_workers_without_redis_are_refused() -> None:
    workers = {**KEY, "GATEWAY_SERVER_WORKERS": "2"}
    with pytest.raises(SettingsError, match="several workers need Redis"):
        load(None, workers)

    assert load(None, {**workers, "GATEWAY_REDIS_URL": "redis://host"}).server.workers == 2
