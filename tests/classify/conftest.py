"""The tokenizer takes a third of a second to load: once for all tests of this room."""

import pytest

from gateway.classify.tokens import Tokenizer


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    return Tokenizer()
