"""What the tests of tiers share: the packaged classifier with the default policy."""

from collections.abc import Callable, Mapping
from typing import Any

from gateway.catalog import Tier
from gateway.classify.assess import Assessor
from gateway.classify.difficulty import Difficulty
from gateway.classify.tokens import Tokenizer
from gateway.flow.health import Health
from gateway.route.breaker import Breaker
from gateway.route.choose import Policy, choose
from gateway.route.target import resolve
from tests.fakes import catalog, wishes

CATALOG = catalog()
HEALTH = Health(CATALOG, Breaker())

TierOf = Callable[[str], Tier]


def decider(tokenizer: Tokenizer) -> TierOf:
    """Gives the tier that a prompt alone is sent to."""
    assessor = Assessor(tokenizer, Difficulty.load())

    def of(text: str) -> Tier:
        document: Mapping[str, Any] = {"messages": [{"role": "user", "content": text}]}
        seen = assessor.assess(document)
        return choose(
            seen,
            resolve("auto", wishes(), CATALOG),
            wishes(),
            catalog=CATALOG,
            speeds=HEALTH.speeds(seen.text_tokens, 0.0),
            policy=Policy(),
        ).chosen.tier

    return of


def share(held: list[bool]) -> float:
    return sum(held) / len(held)
