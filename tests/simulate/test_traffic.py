"""Invented traffic: valid, varied, in its shares, the same for the same seed."""

import base64
import json
import struct
from collections import Counter
from itertools import islice
from typing import Any

from gateway.simulate.asking import read, texts
from gateway.simulate.scenes import SCHEMAS, TEXTS, WEIGHTS
from gateway.simulate.traffic import prompts
from tests.simulate.world import catalog

CALLS = list(islice(prompts(11), 1_500))


def test_every_call_is_one_the_simulated_upstream_takes() -> None:
    known = catalog()
    for call in CALLS:
        body = json.dumps({**call, "model": "large"}).encode()

        assert call["model"] == "auto"
        assert read(body, known).document["messages"]


def test_the_same_seed_gives_the_same_calls() -> None:
    assert list(islice(prompts(11), 50)) == CALLS[:50]
    assert list(islice(prompts(12), 50)) != CALLS[:50]


def test_no_slot_is_left_unfilled() -> None:
    slots = ("{name", "{city", "{text}", "{ticket", "{number}", "{document}", "{topic")
    for call in CALLS:
        for text in texts(call["messages"]):
            assert not any(slot in text for slot in slots), text


def test_there_are_many_templates_and_every_kind_has_a_share() -> None:
    assert sum(map(len, TEXTS.values())) >= 60
    assert TEXTS.keys() == WEIGHTS.keys()
    assert sum(WEIGHTS.values()) == 100
    assert len({json.dumps(call) for call in CALLS}) > 1_000


def test_the_mix_is_many_short_calls_and_few_long_ones() -> None:
    sizes = sorted(len(json.dumps(call)) for call in CALLS)
    kinds: Counter[str] = Counter()
    for call in CALLS:
        kinds.update(key for key in ("tools", "response_format", "stream") if key in call)
        kinds["image"] += "image_url" in json.dumps(call)
        kinds["turns"] += any(message["role"] == "assistant" for message in call["messages"])

    assert sizes[len(sizes) // 2] < 500
    assert sizes[-1] > 20_000
    assert kinds["tools"] > 20
    assert kinds["response_format"] > 10
    assert kinds["image"] > 3
    assert kinds["turns"] > 10
    assert 300 < kinds["stream"] < 900


def test_pictures_are_real_ones() -> None:
    for part in (part for call in CALLS for part in _parts(call) if part["type"] == "image_url"):
        png = base64.b64decode(part["image_url"]["url"].partition(",")[2])
        width, height = struct.unpack(">II", png[16:24])

        assert png.startswith(b"\x89PNG\r\n\x1a\n")
        assert width >= 64 <= height


def test_schemas_are_strict_ones() -> None:
    for schema in SCHEMAS:
        assert schema["strict"] is True
        assert set(schema["schema"]["required"]) == set(schema["schema"]["properties"])


def _parts(call: dict[str, Any]) -> list[dict[str, Any]]:
    contents = (message["content"] for message in call["messages"])
    return [part for content in contents if isinstance(content, list) for part in content]
