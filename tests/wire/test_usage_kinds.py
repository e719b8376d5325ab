"""Counts of sound and images, and the way of processing, as every API spells them."""

from typing import Any

import pytest

from gateway.call import Counts, Usage
from gateway.wire.responses.usage import usage_of as responses_usage_of
from gateway.wire.usage import any_usage, usage_of

CHAT = {
    "prompt_tokens": 100,
    "completion_tokens": 50,
    "prompt_tokens_details": {"cached_tokens": 20, "audio_tokens": 60},
    "completion_tokens_details": {"reasoning_tokens": 5, "audio_tokens": 30},
}
REALTIME = {
    "input_tokens": 130,
    "output_tokens": 40,
    "input_token_details": {
        "text_tokens": 10,
        "audio_tokens": 100,
        "image_tokens": 20,
        "cached_tokens": 70,
        "cached_tokens_details": {"text_tokens": 0, "audio_tokens": 64, "image_tokens": 6},
    },
    "output_token_details": {"text_tokens": 10, "audio_tokens": 30},
}


def test_a_chat_reply_tells_its_sound_and_its_way_of_processing() -> None:
    assert usage_of({"usage": CHAT, "service_tier": "fast"}) == Usage(
        100, 50, 20, 5, service="priority", audio=Counts(60, 0, 30)
    )
    assert usage_of({"usage": CHAT, "service_tier": "default"}) == Usage(
        100, 50, 20, 5, audio=Counts(60, 0, 30)
    )


def test_a_response_tells_its_way_of_processing() -> None:
    stated = {"input_tokens": 7, "output_tokens": 3}

    assert responses_usage_of({"usage": stated, "service_tier": "flex"}) == Usage(
        7, 3, service="flex"
    )


def test_the_realtime_api_tells_cached_sound_and_images() -> None:
    assert any_usage(REALTIME) == Usage(
        130, 40, 70, 0, audio=Counts(100, 64, 30), images=Counts(20, 6, 0)
    )


def test_pictures_that_were_made_are_counted() -> None:
    stated = {
        "input_tokens": 50,
        "output_tokens": 1_000,
        "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
    }

    assert any_usage(stated) == Usage(50, 1_000, images=Counts(40, 0, 0))


@pytest.mark.parametrize(
    "details",
    [
        {"audio_tokens": -1},
        {"audio_tokens": "7"},
        {"image_tokens": 1 << 50},
        {"image_tokens": True},
        {"audio_tokens": 1, "cached_tokens_details": {"audio_tokens": 0.5}},
    ],
)
def test_one_impossible_count_of_a_kind_discredits_all(details: dict[str, Any]) -> None:
    assert usage_of({"usage": {**CHAT, "prompt_tokens_details": details}}) is None


def test_details_that_are_none_are_no_counts() -> None:
    odd = {**CHAT, "prompt_tokens_details": None, "completion_tokens_details": [1]}
    none = {**CHAT, "prompt_tokens_details": {"audio_tokens": 0}, "completion_tokens_details": {}}

    assert usage_of({"usage": odd}) == usage_of({"usage": none}) == Usage(100, 50)
