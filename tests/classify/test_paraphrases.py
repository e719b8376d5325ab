"""The same thing said otherwise goes to the same tier.

Groups of four (`paraphrases.json`), the first as one would ask it first, in six languages. At first
sight 75 % went where their first went; tokens of a loud opinion were toned down in training then.
"""

import json
from pathlib import Path

import pytest

from gateway.classify.tokens import Tokenizer
from tests.classify.deciding import TierOf, decider, share

GROUPS = json.loads(Path(__file__).with_name("paraphrases.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def tier_of(tokenizer: Tokenizer) -> TierOf:
    return decider(tokenizer)


def test_paraphrases_go_where_the_first_goes(tier_of: TierOf) -> None:
    tiers = [[tier_of(text) for text in group] for group in GROUPS]

    same = [tier is first for first, *others in tiers for tier in others]
    neighbours = [abs(tier - first) <= 1 for first, *others in tiers for tier in others]
    assert len(GROUPS) >= 40
    assert share(same) >= 0.85
    assert share(neighbours) >= 0.99
