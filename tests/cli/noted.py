"""A product that notes what the commands hand it."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

from gateway.cli.work import Showing, Store
from gateway.errors import Infeasible, StoreUnavailable
from gateway.settings.schema import Settings

EXPLANATION: dict[str, Any] = {
    "tier": "mini",
    "model": "gpt-4.1-mini",
    "reasons": ["mini promises +0.12 quality over nano", "code"],
    "score": 0.31,
    "quality": [0.6, 0.72, 0.75],
    "prompt_tokens": 1234,
    "signals": ["code"],
    "would_change_it": ["nano would need a dial of 0.31"],
    "candidates": [
        {
            "tier": tier,
            "model": model,
            "quality": 0.6,
            "cost_usd": cost,
            "ttft_seconds": 0.4,
            "total_seconds": 2.34,
            "verdict": verdict,
        }
        for tier, model, cost, verdict in (
            ("nano", "gpt-4.1-nano", "0.00001", "a larger model promises more"),
            ("mini", "gpt-4.1-mini", 0.000_12, "chosen"),
            ("full", "gpt-4.1", 0.0, "prompt over its [window]"),
        )
    ],
}


@dataclass
class NotedProduct:
    """Notes what it is handed; explains every request alike, or refuses it."""

    refuses: bool = False
    served: list[Settings] = field(default_factory=list)
    demos: list[tuple[Settings, float | None, float]] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)

    def serve(self, settings: Settings) -> int:
        self.served.append(settings)
        return 7

    def demo(self, settings: Settings, *, seconds: float | None, rate: float, show: Showing) -> int:
        self.demos.append((settings, seconds, rate))
        return 0

    def open_store(self, settings: Settings) -> AbstractAsyncContextManager[Store]:
        raise StoreUnavailable("no store")

    def drive(
        self, settings: Settings, url: str, *, seconds: float | None, rate: float, show: Showing
    ) -> bool:
        raise NotImplementedError

    def explain(
        self, settings: Settings, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> dict[str, Any]:
        assert settings.simulate.enabled
        self.bodies.append(dict(body))
        self.headers.append(headers)
        if self.refuses:
            raise Infeasible("No tier can answer this call within its limits.")
        return EXPLANATION
