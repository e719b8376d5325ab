"""`tiergate demo --url`: traffic for a gateway that runs elsewhere."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from gateway.cli.work import Desk, Showing, here
from gateway.errors import UpstreamUnreachable
from gateway.settings.schema import Settings
from tests.cli.noted import NotedProduct


class Elsewhere(NotedProduct):
    """A gateway that runs elsewhere: simulated, real, or (None) not there."""

    def __init__(self, simulated: bool | None) -> None:
        super().__init__()
        self._simulated = simulated
        self.driven: list[tuple[str, float | None, float]] = []

    def drive(
        self, settings: Settings, url: str, *, seconds: float | None, rate: float, show: Showing
    ) -> bool:
        assert settings.simulate.enabled
        self.driven.append((url, seconds, rate))
        if self._simulated is None:
            raise UpstreamUnreachable("No connection could be made.")
        return self._simulated


@pytest.mark.parametrize(
    ("simulated", "code", "said"),
    [
        (True, 0, ""),
        (False, 1, "error: answers at http://a:1 are not simulated: nothing more is sent there."),
        (None, 1, "error: no gateway answers at http://a:1: No connection could be made."),
    ],
)
def test_only_a_simulated_gateway_is_driven(simulated: bool | None, code: int, said: str) -> None:
    product, err = Elsewhere(simulated), io.StringIO()
    desk: Desk = replace(here(), product=lambda: product, environ={}, err=Console(file=err))

    ended = desk.demo(None, url="http://a:1", seconds=2.0, rate=9.0)

    assert (ended, product.driven, product.demos) == (code, [("http://a:1", 2.0, 9.0)], [])
    assert err.getvalue().strip() == said
