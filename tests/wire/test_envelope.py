import json

import pytest

from gateway.errors import GatewayError, InvalidValue, MalformedBody, UpstreamTruncated
from gateway.wire.envelope import envelope, error_frame
from gateway.wire.sse import Splitter, data_of


def test_an_error_has_all_four_of_openais_fields() -> None:
    error = InvalidValue("It must be 0 to 1.", param="x-gateway-quality")

    assert json.loads(envelope(error)) == {
        "error": {
            "message": "It must be 0 to 1.",
            "type": "invalid_request_error",
            "param": "x-gateway-quality",
            "code": "invalid_value",
        }
    }
    assert json.loads(envelope(MalformedBody("x")))["error"]["param"] is None


@pytest.mark.parametrize("text", ["a\r\n\ndata: b", 'q"uote', "\x00\x1b\x7f", "ä", "\ud800", ""])
def test_any_text_is_one_frame(text: str) -> None:
    error = UpstreamTruncated(text, param=text)

    found = error_frame(error)

    assert Splitter().feed(found) == [found]
    data = data_of(found)
    assert data == envelope(error)
    assert data is not None
    assert json.loads(data)["error"]["message"] == text


def test_an_error_without_a_code_says_null() -> None:
    class Bare(GatewayError):
        """An error with no code."""

        code = None

    assert json.loads(envelope(Bare("x")))["error"]["code"] is None
