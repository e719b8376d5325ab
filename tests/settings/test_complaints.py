"""Complaints stand in order, know their places, and never repeat a value."""

from collections.abc import Callable

import pytest
import yaml
from hypothesis import HealthCheck, given, settings as hypothesis_settings, strategies as st

from gateway.settings.complaints import Complaint, Flaw, SettingsError, locate, sentence
from gateway.settings.load import load
from gateway.settings.schema import Settings

Complain = Callable[..., list[Complaint]]

KEY = {"OPENAI_API_KEY": "sk-abc"}
CANARY = "sk-canary-3f1c"

PLACES = [
    "server: {port: CANARY}",
    "server: {host: [CANARY]}",
    "server: {drain: CANARY}",
    "server: {max_body: CANARY}",
    "server: {cors_origins: CANARY}",
    "server: CANARY",
    "upstream: {http2: CANARY}",
    "upstream: {ca_file: CANARY}",
    "cache: {policy: CANARY}",
    "log: {level: CANARY}",
    "routing: {quality: CANARY}",
    "routing: {no_tools: CANARY}",
    "catalog: {preset: CANARY, tiers: {nano: CANARY}}",
    "catalog: {key: 'CANARY '}",
    "catalog: {base_url: CANARY}",
    "catalog: {models: {a: {price: {prompt: CANARY}}}}",
    "catalog: {models: {a: {shutdown: CANARY, like: CANARY}}}",
    "catalog: {models: {a: {capabilities: [CANARY], images: CANARY}}}",
    "catalog: {tiers: {nano: [{model: CANARY, weight: CANARY}]}}",
    "catalog: {tiers: {nano: 'CANARY CANARY'}}",
    "catalog: {reroute: ['CANARY!']}",
    "simulate: {seed: CANARY}",
    "simulate: CANARY",
    "a: !CANARY x",
    "a: 'CANARY",
    "a: *CANARY",
]


@pytest.mark.parametrize("place", PLACES)
def test_a_secret_in_the_wrong_place_is_never_repeated(complaints: Complain, place: str) -> None:
    literal = complaints(place.replace("CANARY", CANARY), KEY)
    filled = complaints(place.replace("CANARY", "${KEY}"), KEY | {"KEY": CANARY})

    told = str(SettingsError([*literal, *filled]))
    # A tag and an alias are syntax, not values: pyyaml names an alias that is missing.
    assert CANARY not in told or "alias" in told


@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["server", "port", "catalog", "tiers", "nano", "models", "price", "key", "x"]
                ),
                inner,
                max_size=3,
            )
        ),
        max_leaves=8,
    )
)
def test_any_document_is_either_settings_or_complaints(
    tmp_path_factory: pytest.TempPathFactory, document: object
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")

    try:
        outcome: object = load(path, KEY)
    except SettingsError as error:
        outcome = error.complaints[0]

    assert isinstance(outcome, Settings | Complaint)


def test_complaints_of_a_file_come_first_and_in_order() -> None:
    error = SettingsError(
        [Complaint(0, "GATEWAY_X", "is odd"), Complaint(9, "b", "is bad"), Complaint(2, "a", "is")],
        "f.yaml",
    )

    assert error.sentences() == ["f.yaml:2: a: is", "f.yaml:9: b: is bad", "GATEWAY_X: is odd"]
    assert SettingsError([Complaint(0, "", "is gone")], "f.yaml").sentences() == ["f.yaml: is gone"]


def test_a_flaw_takes_the_line_of_the_nearest_place_that_has_one() -> None:
    flaws = [Flaw(("a", "b", 0), "x"), Flaw(("c",), "y"), Flaw(("a", "d"), "z")]

    found = locate(flaws, {("a", "b"): 3, ("a",): 2}, {("a", "d"): "A_D"})

    assert [(c.line, c.where) for c in found] == [(3, "a.b[0]"), (0, "c"), (0, "A_D")]


def test_an_error_without_words_of_ours_still_says_something_safe() -> None:
    assert sentence({"type": "new_in_pydantic", "input": CANARY}) == (
        "has a value that cannot be used here"
    )
