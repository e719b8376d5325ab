"""The tokenizer takes a third of a second to load: once for all tests of this room."""

from types import ModuleType

import pytest

from gateway.classify.assess import Assessor
from gateway.classify.tokens import Tokenizer
from tests.classify.assessing import Even
from tests.classify.compiling import compiled as compile_it


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> ModuleType | None:
    return compile_it(tmp_path_factory.mktemp("compiled"))


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    return Tokenizer()


@pytest.fixture
def even() -> Even:
    return Even()


@pytest.fixture
def assessor(tokenizer: Tokenizer, even: Even) -> Assessor:
    return Assessor(tokenizer, even)
