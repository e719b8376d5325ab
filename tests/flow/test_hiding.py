"""What we call an upstream with stays out of what it is heard to say."""

import pytest

from gateway.catalog import Deployment, Secret, Tier
from gateway.flow.hiding import hidden
from tests.fakes import MODELS

FAR = Deployment(
    "far",
    MODELS[Tier.NANO],
    "http://far/v1",
    Secret("sk-0123/4567=="),
    headers=(
        ("x-account", Secret("account-0123456789abcdef")),
        ("x-title", Secret("short")),
    ),
)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b'{"error":"no key sk-0123/4567=="}', b'{"error":"no key ***"}'),
        (b'{"error":"no key sk-0123\\/4567=="}', b'{"error":"no key ***"}'),
        (b"x-account: account-0123456789abcdef!", b"x-account: ***!"),
        (b"short words stay", b"short words stay"),
    ],
)
def test_credentials_are_taken_out_however_they_are_spelled(said: bytes, told: bytes) -> None:
    assert hidden(said, FAR) == told


def test_a_deployment_without_a_key_hides_nothing() -> None:
    assert hidden(b"a", Deployment("far", FAR.model, FAR.base_url, Secret(""))) == b"a"
