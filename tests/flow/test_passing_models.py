"""What a key that may use some models only may pass on: what provably uses no others."""

from typing import Any

import pytest

from gateway.catalog import Tier
from gateway.errors import ModelNotFound, PermissionDenied
from gateway.principal import Principal
from tests.flow.passages import EMBEDDER, Place


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/completions", {"model": "unknown-model"}),
        ("/images/edits", None),
        ("/batches", {"model": "gpt-4.1-nano", "input_file_id": "file-1"}),
        ("/threads/runs", {"model": "gpt-4.1-nano"}),
        ("/new/things", {"model": "gpt-4.1-nano"}),
        ("/responses/compact", {"model": "gpt-4.1-nano", "tools": [{"model": "gpt-4.1"}]}),
    ],
)
@pytest.mark.parametrize(
    "caller",
    [Principal(tiers=frozenset({Tier.NANO})), Principal(models=frozenset({"gpt-4.1-nano"}))],
    ids=["tiers", "models"],
)
async def test_a_key_of_some_models_sends_nothing_that_may_use_others(
    path: str, said: dict[str, Any] | None, caller: Principal
) -> None:
    place = Place()

    with pytest.raises((PermissionDenied, ModelNotFound)):
        await place.ask(path, said, principal=caller)

    assert place.upstream.requests == []


async def test_a_key_of_some_tiers_embeds_and_uses_what_its_models_name() -> None:
    place = Place()
    tiers = frozenset({Tier.NANO})
    both = Principal(tiers=tiers, models=frozenset({"gpt-4.1-nano", "gpt-image-1"}))

    await place.ask(
        "/embeddings", {"model": EMBEDDER, "input": "x"}, principal=Principal(tiers=tiers)
    )
    await place.ask("/images/generations", {"model": "gpt-image-1"}, principal=both)

    assert len(place.upstream.requests) == 2
