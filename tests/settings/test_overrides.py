"""Every scalar setting has its variable; the environment wins over the file."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.settings.complaints import Complaint
from gateway.settings.overrides import put, unknown, variables
from gateway.settings.schema import Settings

Load = Callable[..., Settings]
Complain = Callable[..., list[Complaint]]


FILE = """
    server: {port: 1, host: there}
    catalog: gpt-5.4
    simulate: true
"""


def test_a_variable_wins_over_the_file(configured: Load) -> None:
    settings = configured(
        FILE,
        {
            "GATEWAY_SERVER_PORT": "9000",
            "GATEWAY_SERVER_MAX_BODY": "1MiB",
            "GATEWAY_SERVER_CORS_ORIGINS": "https://a.example, http://localhost:3000",
            "GATEWAY_UPSTREAM_HTTP2": "false",
            "GATEWAY_CATALOG_BASE_URL": "https://there.example/v1/",
            "GATEWAY_CATALOG_TIERS_NANO": "gpt-6-luna",
            "GATEWAY_ROUTING_NO_TOOLS": "nano,mini",
            "GATEWAY_SIMULATE_SPEED": "0",
        },
    )

    assert (settings.server.port, settings.server.host) == (9000, "there")
    assert settings.server.max_body == 2**20
    assert settings.server.cors_origins == ("https://a.example", "http://localhost:3000")
    assert settings.catalog.preset == "gpt-5.4"
    assert settings.catalog.base_url == "https://there.example/v1"
    assert settings.catalog.tiers.nano is not None
    assert settings.catalog.tiers.nano[0].model == "gpt-6-luna"
    assert settings.routing.no_tools == ("nano", "mini")
    assert (settings.simulate.enabled, settings.simulate.speed) == (True, 0)


def test_the_short_forms_have_variables_too(configured: Load) -> None:
    settings = configured(FILE, {"GATEWAY_CATALOG": "gpt-6", "GATEWAY_SIMULATE": "no"} | KEY)

    assert settings.catalog.preset == "gpt-6"
    assert not settings.simulate.enabled


KEY = {"OPENAI_API_KEY": "sk-abc"}


def test_a_bad_variable_is_named_and_not_quoted(complaints: Complain) -> None:
    (complaint,) = complaints(FILE, {"GATEWAY_SERVER_PORT": "sk-verysecret"})

    assert (complaint.line, complaint.where) == (0, "GATEWAY_SERVER_PORT")
    assert complaint.message == "must be a whole number"


def test_every_scalar_setting_has_one_variable() -> None:
    names = variables()

    assert names["GATEWAY_SERVER_MAX_CALLS_IN_FLIGHT"] == ("server", "max_calls_in_flight")
    assert names["GATEWAY_UPSTREAM_CA_FILE"] == ("upstream", "ca_file")
    assert names["GATEWAY_CATALOG_TIERS_FULL"] == ("catalog", "tiers", "full")
    assert "GATEWAY_CATALOG_MODELS" not in names
    # Three short forms name places that have a long form as well.
    assert len(set(names.values())) == len(names) - 3


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"catalog": {"tiers": {"nano": "x"}}}),
        ({"catalog": "gpt-5"}, {"catalog": {"preset": "gpt-5", "tiers": {"nano": "x"}}}),
        ({"catalog": {"tiers": None}}, {"catalog": {"tiers": {"nano": "x"}}}),
        ({"catalog": {"tiers": [1]}}, {"catalog": {"tiers": [1]}}),
        ({"catalog": [1]}, {"catalog": [1]}),
    ],
)
def test_a_value_is_put_without_losing_what_stands_there(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    put(before, ("catalog", "tiers", "nano"), "x")

    assert before == after


def test_a_section_that_has_no_short_form_is_not_spread() -> None:
    values: dict[str, Any] = {"server": "x"}

    put(values, ("server", "port"), "1")

    assert values == {"server": "x"}


def test_a_misspelled_variable_is_warned_of_and_foreign_ones_are_not() -> None:
    hint = "did you mean GATEWAY_SERVER_PORT?"
    warned = unknown(
        {
            "GATEWAY_SERVR_PORT": "1",
            "GATEWAY_QQQQQQQQQQQQ": "1",
            "GATEWAY_SERVER_PORT": "1",
            "GATEWAY_PORT": "tcp://10.0.0.1:80",
            "GATEWAY_PORT_80_TCP_ADDR": "10.0.0.1",
            "GATEWAY_SERVICE_HOST": "10.0.0.1",
            "GATEWAY_SERVICE_PORT_HTTP": "80",
            "PATH": "/bin",
        }
    )

    assert warned == [
        "The environment variable GATEWAY_QQQQQQQQQQQQ sets nothing.",
        f"The environment variable GATEWAY_SERVR_PORT sets nothing ({hint}).",
    ]
