"""The main job, end to end: real sockets, the real clients, the simulated models behind."""

import openai
import orjson
import pytest

from tests.app.serving import FAST, chat, served

PROOF = (
    "Prove that every bounded sequence of reals has a convergent subsequence, and generalise it."
)


async def test_a_chat_is_answered_by_the_right_tier_with_the_reason_in_the_headers() -> None:
    async with served() as gateway:
        reply = await gateway.http.post("/v1/chat/completions", json=chat("Hello!"))

        head = reply.headers
        assert reply.status_code == 200
        assert head["x-gateway-tier"] == "nano"
        assert head["x-gateway-model"] == "gpt-4.1-nano"
        assert head["x-gateway-reason"].startswith("adequate; a larger model promises only")
        assert head["x-gateway-cache"] == "miss"
        assert float(head["x-gateway-cost-usd"]) > 0
        assert float(head["x-gateway-saved-usd"]) > float(head["x-gateway-cost-usd"])
        assert head["x-gateway-attempts"] == "1"
        assert head["x-gateway-decision-id"].startswith("req_tg")
        assert head["x-request-id"] != head["x-gateway-decision-id"]
        assert len(head["x-gateway-quality"].split(",")) == 3
        assert head["x-tiergate-simulated"] == "1"
        assert "openai-organization" not in head
        assert gateway.flow.in_flight == 0


async def test_the_openai_client_gets_whole_and_streamed_answers() -> None:
    async with served() as gateway:
        create = gateway.openai.chat.completions.create
        whole = await create(model="auto", messages=[{"role": "user", "content": PROOF}])
        stream = await create(
            model="auto", messages=[{"role": "user", "content": PROOF}], stream=True, seed=1
        )
        chunks = [chunk async for chunk in stream]

        assert whole.model in {"gpt-4.1-mini", "gpt-4.1"}
        assert whole.usage is not None
        assert chunks[-1].choices[0].finish_reason in {"stop", "length"}
        assert all(chunk.usage is None for chunk in chunks)


async def test_a_repeat_is_a_hit_with_identical_bytes_and_costs_nothing() -> None:
    async with served() as gateway:
        for stream in (False, True):
            body = chat("What is the capital of France?", stream=stream)
            first = await gateway.http.post("/v1/chat/completions", json=body)
            second = await gateway.http.post("/v1/chat/completions", json=body)

            assert second.headers["x-gateway-cache"] == "hit"
            assert second.content == first.content
            assert second.headers["content-type"] == first.headers["content-type"]
            assert second.headers["x-gateway-cost-usd"] == "0"
            assert float(second.headers["x-gateway-saved-usd"]) > 0


async def test_what_forbids_reuse_is_asked_anew() -> None:
    async with served() as gateway:
        body = chat("Tell me a joke.", temperature=0.8)
        await gateway.http.post("/v1/chat/completions", json=body)
        again = await gateway.http.post("/v1/chat/completions", json=body)

        assert again.headers["x-gateway-cache"] == "bypass; temperature"


async def test_the_decision_is_in_the_body_when_asked_for() -> None:
    async with served() as gateway:
        asked = {"x-gateway-explain": "1"}
        whole = await gateway.http.post("/v1/chat/completions", json=chat(PROOF), headers=asked)
        stream = await gateway.http.post(
            "/v1/chat/completions", json=chat(PROOF, stream=True), headers=asked
        )

        decision = whole.json()["gateway"]
        assert decision["tier"] == whole.headers["x-gateway-tier"]
        assert [c["tier"] for c in decision["candidates"]] == ["nano", "mini", "full"]
        frames = stream.content.split(b"\n\n")
        assert frames[-2] == b"data: [DONE]"
        last = orjson.loads(frames[-3].removeprefix(b"data: "))
        assert last["choices"] == []
        assert last["gateway"]["usage"]["completion"] > 0


async def test_caps_choose_clamp_or_refuse() -> None:
    async with served() as gateway:
        capped = {"x-gateway-max-cost-usd": "0.0004"}
        reply = await gateway.http.post("/v1/chat/completions", json=chat(PROOF), headers=capped)
        broke = {"x-gateway-max-cost-usd": "0.00000001"}
        refused = await gateway.http.post("/v1/chat/completions", json=chat(PROOF), headers=broke)
        late = {"x-gateway-deadline-ms": "1"}
        hurried = await gateway.http.post("/v1/chat/completions", json=chat(PROOF), headers=late)

        assert reply.status_code == 200
        assert float(reply.headers["x-gateway-cost-usd"]) <= 0.0004
        assert refused.status_code == 400
        assert refused.json()["error"]["code"] == "no_feasible_tier"
        assert "nano: expected $" in refused.json()["error"]["message"]
        assert hurried.json()["error"]["code"] == "no_feasible_tier"


async def test_a_conversation_keeps_its_tier() -> None:
    async with served() as gateway:
        session = {"x-session-id": "conversation-1"}
        hard = await gateway.http.post("/v1/chat/completions", json=chat(PROOF), headers=session)
        easy = await gateway.http.post(
            "/v1/chat/completions", json=chat("Thanks!"), headers=session
        )

        assert easy.headers["x-gateway-tier"] == hard.headers["x-gateway-tier"] != "nano"
        assert easy.headers["x-gateway-reason"].startswith("sticky")


async def test_a_failing_tier_is_answered_by_the_next_and_the_reason_says_so() -> None:
    async with served() as gateway:
        fault = {"next": 1, "model": "gpt-4.1-nano", "kind": "status=503"}
        simulation = gateway.flow.parts.catalog.tiers[min(gateway.flow.parts.catalog.tiers)][0]
        root = simulation.base_url.removesuffix("/v1")
        made = await gateway.http.post(f"{root}/simulate/faults", json=fault)
        reply = await gateway.http.post("/v1/chat/completions", json=chat("Hi there!"))

        assert made.status_code == 200
        assert reply.status_code == 200
        assert reply.headers["x-gateway-tier"] == "mini"
        assert reply.headers["x-gateway-reason"].startswith("escalated")
        assert reply.headers["x-gateway-attempts"] == "2"


@pytest.mark.parametrize("kind", ["cut", "silent", "error_event after=3"])
async def test_a_stream_that_breaks_raises_in_the_openai_client(kind: str) -> None:
    async with served() as gateway:
        stream = await gateway.openai.chat.completions.create(
            model="mini",
            messages=[{"role": "user", "content": f"[[fault:{kind}]] Explain tides at length."}],
            stream=True,
        )
        with pytest.raises(openai.APIError):
            _ = [chunk async for chunk in stream]

        assert gateway.flow.in_flight == 0


@pytest.mark.parametrize("kind", ["html", "garbage", "empty", "truncate_json", "drop"])
async def test_a_broken_reply_becomes_an_error_in_openais_envelope(kind: str) -> None:
    async with served() as gateway:
        body = chat(f"[[fault:{kind}]] Hello", model="gpt-4.1")
        reply = await gateway.http.post("/v1/chat/completions", json=body)

        error = reply.json()["error"]
        assert reply.status_code in {502, 503, 504}
        assert set(error) == {"message", "type", "param", "code"}
        assert error["type"] == "upstream_error"


async def test_the_upstreams_own_errors_pass_with_their_code_and_retry_after() -> None:
    async with served() as gateway:
        with pytest.raises(openai.RateLimitError) as limited:
            await gateway.openai.chat.completions.create(
                model="full",
                messages=[{"role": "user", "content": "[[fault:status=429 retry-after=60]] Hi"}],
            )
        with pytest.raises(openai.NotFoundError) as unknown:
            await gateway.openai.chat.completions.create(
                model="gpt-99", messages=[{"role": "user", "content": "Hi"}]
            )

        assert limited.value.response.headers["retry-after"] == "60"
        assert unknown.value.code == "model_not_found"
        assert unknown.value.request_id is not None


async def test_every_page_answers() -> None:
    async with served() as gateway:
        models = (await gateway.http.get("/v1/models")).json()["data"]
        one = (await gateway.http.get("/v1/models/gpt-4.1-nano")).json()
        none = await gateway.http.get("/models/gpt-99")
        metrics = (await gateway.http.get("/metrics")).text
        schema = (await gateway.http.get("/openapi.json")).json()

        assert [m["id"] for m in models[:6]] == [
            "auto",
            "auto:floor",
            "auto:nitro",
            "nano",
            "mini",
            "full",
        ]
        assert one["shutdown_date"] == "2026-10-23"
        assert (none.status_code, none.json()["error"]["code"]) == (404, "model_not_found")
        assert "gateway_build_info" in metrics
        assert "/v1/chat/completions" in schema["paths"]
        assert (await gateway.http.get("/healthz")).json() == {"status": "ok"}
        assert (await gateway.http.get("/readyz")).json() == {"status": "ready"}
        assert (await gateway.http.get("/docs")).status_code == 200
        for method, path, status in (
            ("GET", "/chat/completions", 405),
            ("GET", "/v1/chat", 404),
            ("GET", "/nowhere", 404),
            ("POST", "/v1/models", 405),
        ):
            reply = await gateway.http.request(method, path)
            assert reply.status_code == status
            assert set(reply.json()["error"]) == {"message", "type", "param", "code"}


async def test_metrics_move_with_the_calls() -> None:
    async with served() as gateway:
        await gateway.http.post("/v1/chat/completions", json=chat("Hello!"))
        await gateway.http.post("/v1/chat/completions", json=chat("Hello!"))
        page = (await gateway.http.get("/metrics")).text

        assert 'gateway_requests_total{outcome="ok",stream="false",tier="nano"} 2.0' in page
        assert 'gateway_cache_total{outcome="hit"} 1.0' in page
        assert "gen_ai_client_token_usage_bucket" in page


async def test_httpx_can_stand_in_for_our_own_client() -> None:
    async with served({**FAST, "GATEWAY_UPSTREAM_PROXY": "env"}) as gateway:
        reply = await gateway.http.post("/v1/chat/completions", json=chat("Hello!"))

        assert reply.status_code == 200
