"""The tokenizer takes a third of a second to load: once for all tests of this room."""

import pytest

from gateway.classify.assess import Assessor
from gateway.classify.tokens import Tokenizer
from tests.classify.assessing import Even


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    return Tokenizer()


@pytest.fixture
def even() -> Even:
    return Even()


@pytest.fixture
def assessor(tokenizer: Tokenizer, even: Even) -> Assessor:
    return Assessor(tokenizer, even)
