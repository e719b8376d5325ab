"""Requests that are passed on: what a key may send, what is held and charged, where it goes."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from gateway.catalog import Secret, Tier
from gateway.errors import (
    GatewayError,
    InvalidValue,
    ModelNotFound,
    Overloaded,
    PermissionDenied,
    RateLimited,
    StoreUnavailable,
)
from gateway.flow.parts import Rules
from gateway.flow.passage import PassRules
from gateway.holds import Denial, Limited
from gateway.principal import Outage, Principal
from tests.flow.passages import EMBEDDED, EMBEDDER, LIMITED, PRICED, QUOTA, Place, reply


async def test_an_embedding_is_held_at_its_bytes_and_charged_its_tokens() -> None:
    place = Place(reply(EMBEDDED))

    await place.ask("/embeddings", {"model": EMBEDDER, "input": "x"}, principal=LIMITED)

    (claim,) = place.ledger.claims
    assert claim.amount == 20 * len(orjson.dumps({"model": EMBEDDER, "input": "x"}))
    ((_, charge),) = place.ledger.charges
    assert (charge.cost, charge.usage.prompt, charge.account.model) == (140, 7, EMBEDDER)
    (ended,) = place.recorder.calls
    assert (ended.area, ended.requested, ended.cost, ended.outcome) == (
        "embeddings",
        EMBEDDER,
        140,
        "ok",
    )


async def test_the_count_behind_thousands_of_vectors_is_found() -> None:
    data = b'{"data":[' + b"0.125," * 200_000 + b'1],"usage":{"prompt_tokens":9}}'
    place = Place(reply(data))

    assert await place.ask("/embeddings", {"model": EMBEDDER, "input": "x"}) == data

    assert place.recorder.calls[0].usage.prompt == 9


async def test_a_reply_that_states_no_count_is_charged_by_ours() -> None:
    place = Place(reply(b"{}"))

    await place.ask("/embeddings", {"model": EMBEDDER, "input": "x" * 400})

    ended = place.recorder.calls[0]
    assert ended.usage.estimated
    assert 2000 < ended.cost < 3000


async def test_an_error_reply_passes_and_costs_nothing() -> None:
    place = Place(reply(b'{"error":{}}', 400))

    got = await place.ask("/embeddings", {"model": EMBEDDER, "input": 1}, principal=LIMITED)

    assert got == b'{"error":{}}'
    assert place.ledger.charges[0][1].cost == 0
    assert place.recorder.calls[0].outcome == "upstream_4xx"


@pytest.mark.parametrize("path", ["/images/generations", "/batches", "/not/invented/yet"])
async def test_a_key_with_an_allowance_sends_nothing_that_has_no_price(path: str) -> None:
    place = Place()

    with pytest.raises(PermissionDenied, match="has no price here"):
        await place.ask(path, {"model": "gpt-image-1"}, principal=LIMITED)

    assert place.upstream.requests == []
    assert place.flow.in_flight == 0
    assert place.recorder.calls[0].outcome == "caller_forbidden"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/batches/batch_123456"),
        ("DELETE", "/files/file-123456"),
        ("POST", "/files"),
        ("POST", "/responses/resp_123456/cancel"),
        ("POST", "/chat/completions/chatcmpl-123456"),
        ("POST", "/moderations"),
    ],
)
async def test_what_costs_nothing_passes_under_an_allowance(method: str, path: str) -> None:
    place = Place()
    for name in ("batch_123456", "file-123456", "resp_123456", "chatcmpl-123456"):
        await place.made(name, LIMITED.tenant)

    await place.ask(path, method=method, principal=LIMITED)

    assert place.ledger.claims[0].amount == 0
    assert place.ledger.charges[0][0] is not None


async def test_an_operator_may_allow_what_has_no_price() -> None:
    place = Place(rules=PassRules(unpriced=True))

    await place.ask("/images/generations", {"model": "gpt-image-1"}, principal=LIMITED)

    assert len(place.upstream.requests) == 1


async def test_quotas_count_what_is_passed() -> None:
    place = Place()
    place.ledger.answers.append(Denial("key:k", Limited.REQUESTS, 12.0))

    with pytest.raises(RateLimited, match="/v1/files in key k on requests per min"):
        await place.ask("/files", principal=QUOTA)


@pytest.mark.parametrize("outage", Outage)
async def test_a_ledger_that_is_away_refuses_or_lets_pass(outage: Outage) -> None:
    place = Place()
    place.ledger.answers.append(StoreUnavailable("away"))
    caller = replace(QUOTA, outage=outage)

    if outage is Outage.OPEN:
        assert await place.ask("/files", principal=caller)
    else:
        with pytest.raises(StoreUnavailable):
            await place.ask("/files", principal=caller)


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ({"model": "gpt-image-1"}, None),
        ({"model": "gpt-image-1-2026-01-01"}, None),
        ({"session": {"model": "gpt-image-1"}}, None),
        ({"model": "dall-e-3"}, ModelNotFound),
        ({"model": "gpt-image-1", "session": {"model": "dall-e-3"}}, ModelNotFound),
        ({}, PermissionDenied),
        (None, PermissionDenied),
    ],
)
async def test_a_key_for_certain_models_must_name_one_of_them(
    said: dict[str, Any] | None, refused: type[GatewayError] | None
) -> None:
    place = Place()
    caller = Principal(models=frozenset({"gpt-image-1"}))

    if refused is None:
        assert await place.ask("/images/generations", said, principal=caller)
    else:
        with pytest.raises(refused):
            await place.ask("/images/generations", said, principal=caller)


async def test_a_key_for_certain_models_reads_what_is_there() -> None:
    place = Place()

    assert await place.ask("/files", method="GET", principal=Principal(models=frozenset({"a"})))


async def test_a_key_for_certain_models_gets_no_tunnel_whose_messages_name_models() -> None:
    place = Place()
    caller = Principal(models=frozenset({"a"}))

    with pytest.raises(PermissionDenied, match="WebSocket"):
        await place.ask(
            "/responses", method="GET", query_model="a", upgrade="websocket", principal=caller
        )


async def test_a_price_does_not_bound_what_a_file_is_trained_on() -> None:
    with pytest.raises(PermissionDenied, match="cannot be told"):
        await Place().ask("/fine_tuning/jobs", {"model": EMBEDDER}, principal=LIMITED)


async def test_a_model_in_a_query_is_one_that_is_named() -> None:
    place = Place()
    caller = Principal(models=frozenset({"a"}))

    with pytest.raises(ModelNotFound):
        await place.ask("/realtime", method="GET", query_model="gpt-realtime", principal=caller)


async def test_a_tier_that_a_key_may_not_use_is_not_there() -> None:
    place = Place()
    caller = Principal(tiers=frozenset({Tier.NANO}))

    with pytest.raises(ModelNotFound):
        await place.ask("/completions", {"model": "gpt-4.1"}, principal=caller)
    assert await place.ask("/completions", {"model": "gpt-4.1-nano"}, principal=caller)


@pytest.mark.parametrize("name", ["auto", "auto:floor", "nano", "openrouter/auto"])
async def test_a_name_for_routed_calls_is_explained(name: str) -> None:
    with pytest.raises(InvalidValue, match="needs a model's own name"):
        await Place().ask("/completions", {"model": name, "prompt": "x"})


async def test_a_denied_area_is_not_passed_on() -> None:
    place = Place(rules=PassRules(deny=frozenset({"files", "other"})))

    for path in ("/files", "/files/file-1", "/new", "/FILES"):
        with pytest.raises(PermissionDenied, match="does not pass on"):
            await place.ask(path, method="GET")
    assert await place.ask("/batches", method="GET")


@pytest.mark.parametrize("path", ["/organization/users", "/projects", "/Admin/keys", "/usage"])
async def test_what_is_the_whole_accounts_is_opened_by_the_operator_only(path: str) -> None:
    with pytest.raises(PermissionDenied, match="does not pass on"):
        await Place().ask(path, method="GET")
    assert await Place(rules=PassRules(account=True)).ask(path, method="GET")


async def test_too_many_at_once_are_turned_away() -> None:
    with pytest.raises(Overloaded):
        await Place(flow=Rules(max_in_flight=0)).ask("/files", method="GET")
    with pytest.raises(Overloaded):
        await Place(rules=PassRules(tunnels=0)).ask("/realtime", method="GET", upgrade="websocket")


async def test_a_model_behind_a_tier_goes_to_its_deployment_and_all_else_to_the_largest() -> None:
    place = Place()

    await place.ask("/completions", {"model": "gpt-4.1-nano", "prompt": "x"})
    assert place.went() == "gpt-4.1-nano"
    await place.ask("/embeddings", {"model": EMBEDDER, "input": "x"})
    assert place.went() == "gpt-4.1"


async def test_what_an_account_made_is_asked_for_there() -> None:
    tiers = {t: (d[0],) for t, d in PRICED.tiers.items()}
    other = replace(tiers[Tier.NANO][0], key=Secret("sk-other"))
    place = Place(where=replace(PRICED, tiers={**tiers, Tier.NANO: (other,)}))

    await place.ask("/assistants", {"model": "gpt-4.1-nano"})
    await place.ask("/files/file-abcdef/content", method="GET")
    assert place.went() == "gpt-4.1-nano"
    await place.ask("/batches", {"input_file_id": "file-abcdef"})
    assert place.went() == "gpt-4.1-nano"
    await place.ask("/vector_stores/vs_1234567/files", {"file_ids": ["file-abcdef"]})
    assert place.went() == "gpt-4.1-nano"


async def test_an_operator_names_the_account() -> None:
    place = Place(rules=PassRules(deployment="gpt-4.1-mini"))

    await place.ask("/files", method="GET")

    assert place.went() == "gpt-4.1-mini"


async def test_a_clients_patience_bounds_the_wait_for_the_first_byte() -> None:
    place = Place()

    await place.ask("/files", method="GET", patience=5.0)

    assert place.upstream.requests[0].deadlines.first_byte == 6.0
