"""What a path below /v1 may look like, and which models a body names."""

import pytest

from gateway.errors import NotFound
from gateway.wire.surface import (
    below,
    named_model,
    named_models,
    passed_to_client,
    passed_to_upstream,
)


@pytest.mark.parametrize(
    "path",
    [
        b"/v1/chat/completions#/x",
        b"/v1/completions#/cancel",
        b"/v1/files/../../admin",
        b"/v1/files/%2e%2e/keys",
        b"/v1/files\\..\\keys",
        b"/v1/files;x=1",
        "/v1/fïles".encode(),
    ],
)
def test_a_path_that_could_mean_another_upstream_is_none(path: bytes) -> None:
    with pytest.raises(NotFound):
        below(path)


def test_an_ordinary_path_passes_as_it_is() -> None:
    assert below(b"/v1/files/file-1/content") == "/files/file-1/content"


def test_every_model_a_body_names_is_found() -> None:
    body = {"model": "a", "session": {"model": "b"}}

    assert named_models(body) == ["a", "b"]
    assert named_model({"session": {"model": "b"}}) == "b"
    assert named_model({"model": 3}) == ""


def test_what_says_when_to_ask_again_or_how_much_is_wanted_passes() -> None:
    back = ((b"openai-poll-after-ms", b"500"), (b"x-accel-buffering", b"no"))
    up = ((b"range", b"bytes=5-"), (b"if-range", b'"tag"'))

    assert passed_to_client((*back, (b"openai-organization", b"org"))) == back
    assert passed_to_upstream((*up, (b"cookie", b"a=b"))) == up
