"""One server for the tests that only read, and clients for it."""

from collections.abc import Iterator

import openai
import pytest

from tests.simulate.world import serving, simulation


@pytest.fixture(scope="session")
def port() -> Iterator[int]:
    with serving(simulation()) as port:
        yield port


@pytest.fixture
def client(port: int) -> Iterator[openai.OpenAI]:
    url = f"http://127.0.0.1:{port}/v1"
    with openai.OpenAI(base_url=url, api_key="any", max_retries=0) as client:
        yield client
