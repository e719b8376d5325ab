"""The packaged classifier with the default policy: what goes up, and what does not.

The prompts (`languages.json`) are what a person would try: everyday ones and short hard ones, the
same number a language. None is among the anchors the model was shown; those of the other languages
were written after everything else was settled, and nothing was changed for them.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.catalog import Tier
from gateway.classify.assess import Assessor
from gateway.classify.difficulty import Difficulty
from gateway.classify.tokens import Tokenizer
from gateway.flow.health import Health
from gateway.route.breaker import Breaker
from gateway.route.choose import Policy, choose
from gateway.route.target import resolve
from tests.fakes import catalog, wishes

SENSIBLE = 0.95
PROMPTS = json.loads(Path(__file__).with_name("languages.json").read_text("utf-8"))
SIX, OTHER = PROMPTS["six languages"], PROMPTS["other languages"]
CATALOG = catalog()
HEALTH = Health(CATALOG, Breaker())

TierOf = Callable[[str], Tier]


@pytest.fixture(scope="module")
def tier_of(tokenizer: Tokenizer) -> TierOf:
    assessor = Assessor(tokenizer, Difficulty.load())

    def of(text: str) -> Tier:
        seen = assessor.assess({"messages": [{"role": "user", "content": text}]})
        return choose(
            seen,
            resolve("auto", wishes(), CATALOG),
            wishes(),
            catalog=CATALOG,
            speeds=HEALTH.speeds(seen.text_tokens, 0.0),
            policy=Policy(),
        ).chosen.tier

    return of


def test_six_languages_get_the_sensible_side(tier_of: TierOf) -> None:
    easy = [tier_of(text) is Tier.NANO for both in SIX.values() for text in both["easy"]]
    hard = [tier_of(text) is not Tier.NANO for both in SIX.values() for text in both["hard"]]

    assert len(easy) == len(hard) == 120
    assert sum(easy) / len(easy) >= SENSIBLE
    assert sum(hard) / len(hard) >= SENSIBLE


@pytest.mark.parametrize("language", SIX)
def test_no_language_is_worse_than_three_mistakes_in_twenty(tier_of: TierOf, language: str) -> None:
    both = SIX[language]

    assert sum(tier_of(text) is not Tier.NANO for text in both["easy"]) <= 3
    assert sum(tier_of(text) is Tier.NANO for text in both["hard"]) <= 3


def test_other_languages_get_the_sensible_side_too(tier_of: TierOf) -> None:
    easy = [tier_of(text) is Tier.NANO for both in OTHER.values() for text in both["easy"]]
    hard = [tier_of(text) is not Tier.NANO for both in OTHER.values() for text in both["hard"]]

    assert sum(easy) / len(easy) >= 0.85
    assert sum(hard) / len(hard) >= 0.9
