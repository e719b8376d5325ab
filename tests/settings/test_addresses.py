"""What people write as an address, and what becomes of it."""

from collections.abc import Callable
from datetime import date

import pytest

from gateway.catalog import Deployment, Secret
from gateway.settings.addresses import addressed, base_url
from gateway.settings.advice import warnings
from gateway.settings.catalog import build
from gateway.settings.complaints import Complaint
from gateway.settings.schema import Settings
from tests.settings.test_tiers_built import KEY

Load = Callable[..., Settings]
Complain = Callable[..., list[Complaint]]
TODAY = date(2026, 11, 24)
AZURE = "https://me.openai.azure.com"
GPT = f"{AZURE}/openai/deployments/gpt"
OWN = "https://proxy.me"
BARE, USUAL = "api-key", "authorization"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("https://api.openai.com", "https://api.openai.com/v1"),
        ("https://api.openai.com/v1/", "https://api.openai.com/v1"),
        ("http://localhost:11434", "http://localhost:11434/v1"),
        ("https://api.perplexity.ai/", "https://api.perplexity.ai"),
        ("http://h:8000/v1/chat/completions", "http://h:8000/v1"),
        ("https://h/v1/responses", "https://h/v1"),
        ("https://openrouter.ai/api/v1", "https://openrouter.ai/api/v1"),
        (AZURE, AZURE),
        (f"{AZURE}/", AZURE),
        (f"{AZURE}/openai/v1/", f"{AZURE}/openai/v1"),
        (
            f"{AZURE}/openai/deployments/gpt4/chat/completions?api-version=2024-10-21",
            f"{AZURE}/openai/deployments/gpt4?api-version=2024-10-21",
        ),
    ],
)
def test_an_address_is_read_as_it_is_meant(written: str, read: str) -> None:
    assert base_url(written) == read


@pytest.mark.parametrize(
    "written",
    [
        *(f"{AZURE}?api-version=", f"{AZURE}?key=1", f"{AZURE}?api-version=1&x=2"),
        *("https://h?a=b", "https://h/v1#top", f"{AZURE}?api-version=1#x"),
        f"{AZURE}?api-version=a%0Ab",
    ],
)
def test_a_query_that_is_no_version_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="query or fragment"):
        base_url(written)


@pytest.mark.parametrize(
    ("url", "version", "auth", "made"),
    [
        (AZURE, None, None, (f"{AZURE}/openai/v1", False, BARE, "")),
        (AZURE, "1", None, (f"{AZURE}/openai?api-version=1", True, BARE, "")),
        (f"{AZURE}/openai", "1", "bearer", (f"{AZURE}/openai?api-version=1", True, USUAL, "")),
        (f"{GPT}?api-version=1", "2", None, (f"{AZURE}/openai?api-version=2", True, BARE, "gpt")),
        (f"{AZURE}/openai/v1", "7", None, (f"{AZURE}/openai/v1?api-version=7", False, BARE, "")),
        (f"{OWN}/openai", "1", None, (f"{OWN}/openai?api-version=1", True, BARE, "")),
        (f"{OWN}/openai", None, None, (f"{OWN}/openai", False, USUAL, "")),
        (f"{OWN}/v1", None, None, (f"{OWN}/v1", False, USUAL, "")),
        (f"{OWN}/v1", None, "api-key", (f"{OWN}/v1", False, BARE, "")),
    ],
)
def test_an_address_says_how_it_is_called(
    url: str, version: str | None, auth: str | None, made: tuple[str, bool, str, str]
) -> None:
    assert addressed(url, version, auth) == made


def test_azures_older_api_needs_its_version(complaints: Complain) -> None:
    text = f"catalog: {{tiers: {{nano: {{model: gpt-4.1, base_url: '{AZURE}/openai'}}}}}}"
    (found,) = complaints(text, KEY)

    assert "needs `api_version`" in found.message


def test_the_catalogs_address_may_be_azures_too(configured: Load) -> None:
    text = f"catalog: {{base_url: '{AZURE}', api_version: 2024-10-21, key: abc123def}}"

    nano, *_ = build(configured(text)).deployments()

    assert (nano.base_url, nano.azure) == (f"{AZURE}/openai?api-version=2024-10-21", True)
    assert (nano.key, nano.key_header) == (Secret("abc123def"), "api-key")


def test_the_catalogs_key_is_shown_to_no_other_host(configured: Load) -> None:
    def nano(url: str) -> Deployment:
        text = f"catalog: {{tiers: {{nano: {{model: gpt-4.1, base_url: '{url}'}}}}}}"
        return next(build(configured(text, KEY)).deployments())

    assert nano("https://eu.api.openai.com/v1").key == Secret("sk-abc")
    assert not nano("https://vllm.example/v1").key
    assert not nano(AZURE).key


def test_a_deployment_without_a_key_is_warned_of(configured: Load) -> None:
    text = f"catalog: {{tiers: {{nano: {{model: gpt-4.1, base_url: '{AZURE}'}}}}}}"
    settings = configured(text, KEY)

    said = warnings(settings, build(settings), today=TODAY, environ={})

    assert any("deployment nano is called without a key" in one for one in said)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("headers: {Authorization: x}", "must not set authorization"),
        ("headers: {content-type: x}", "must not set content-type"),
        ("headers: {'a b': x}", "header name that is none"),
        ('headers: {x-a: "a\\nb"}', "printable ASCII"),
        ("upstream_model: a b", "without spaces"),
        ("api_version: 2024/10", "must be a version"),
        ("auth: basic", "must be 'bearer' or 'api-key'"),
    ],
)
def test_what_a_deployment_cannot_have_is_refused(
    complaints: Complain, said: str, message: str
) -> None:
    (found,) = complaints(f"catalog: {{tiers: {{nano: {{model: gpt-4.1, {said}}}}}}}", KEY)

    assert message in found.message
