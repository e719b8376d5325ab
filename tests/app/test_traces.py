"""Traces of calls, from a caller's context through a gateway to a collector and the upstream."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway import __version__
from tests.app.far_servers import Asked, Far, Plain, far
from tests.app.serving import FAST, chat, served

CALLERS = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
CONTEXT = {"traceparent": f"00-{CALLERS}-{SPAN}-01", "tracestate": "vendor=1"}


class Collector(Far):
    """An OTLP collector: takes JSON that is right, and refuses what is not."""

    def __init__(self) -> None:
        super().__init__(frozenset())
        self.spans: list[dict[str, Any]] = []
        self.resource: dict[str, str] = {}

    def answer(self, asked: Asked) -> tuple[int, bytes]:
        if asked.target != "/v1/traces" or asked.headers["content-type"] != "application/json":
            return 404, b"{}"
        for resource in asked.document()["resourceSpans"]:
            self.resource = attributes(resource["resource"])
            for scope in resource["scopeSpans"]:
                assert scope["scope"]["name"] == "tiergate"
                self.spans += [checked(span) for span in scope["spans"]]
        return 200, b"{}"

    def named(self, name: str) -> dict[str, Any]:
        (span,) = [span for span in self.spans if span["name"] == name]
        return span


def checked(span: dict[str, Any]) -> dict[str, Any]:
    """A span as the protocol has it."""
    assert len(bytes.fromhex(span["traceId"])) == 16
    assert len(bytes.fromhex(span["spanId"])) == 8
    assert len(bytes.fromhex(span.get("parentSpanId", SPAN))) == 8
    assert int(span["endTimeUnixNano"]) >= int(span["startTimeUnixNano"]) > 10**18
    assert span["kind"] in (1, 2, 3)
    assert isinstance(span["endTimeUnixNano"], str)
    return span


def attributes(span: dict[str, Any]) -> dict[str, Any]:
    kinds = {"stringValue": str, "intValue": int, "doubleValue": float}
    found = {}
    for one in span["attributes"]:
        ((kind, value),) = one["value"].items()
        found[one["key"]] = kinds[kind](value)
    return found


def to(collector: Far, **more: str) -> dict[str, str]:
    endpoint = f"http://127.0.0.1:{collector.port}"
    return {**FAST, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, **more}


@pytest.mark.parametrize("stream", [False, True])
async def test_a_call_is_traced_with_its_stages_and_its_attempt(stream: bool) -> None:
    async with far(Collector()) as collector:
        assert isinstance(collector, Collector)
        said = to(
            collector,
            OTEL_EXPORTER_OTLP_HEADERS="api-token=s%20cret",
            OTEL_SERVICE_NAME="mine",
            OTEL_RESOURCE_ATTRIBUTES="deployment.environment=test",
        )
        async with served(said) as gateway:
            body = chat("Hello there, my secret friend", stream=stream)
            reply = await gateway.http.post("/v1/chat/completions", json=body, headers=CONTEXT)

    assert reply.status_code == 200
    assert collector.asked[0].headers["api-token"] == "s cret"
    assert collector.resource == {
        "service.name": "mine",
        "service.version": __version__,
        "deployment.environment": "test",
    }
    call, attempt = (
        collector.named("POST /v1/chat/completions"),
        collector.named("chat gpt-4.1-nano"),
    )
    assert {span["traceId"] for span in collector.spans} == {CALLERS}
    assert (call["parentSpanId"], call["traceState"], call["kind"]) == (SPAN, "vendor=1", 2)
    assert (attempt["parentSpanId"], attempt["kind"]) == (call["spanId"], 3)
    names = [span["name"] for span in collector.spans if span["kind"] == 1]
    assert names == ["read", "remember", "assess", "choose", "send"]
    assert len({span["spanId"] for span in collector.spans}) == len(collector.spans)
    about, tried = attributes(call), attributes(attempt)
    assert about["gen_ai.request.model"] == "auto"
    assert tried["gen_ai.request.model"] == "gpt-4.1-nano"
    assert about["gen_ai.usage.output_tokens"] == tried["gen_ai.usage.output_tokens"] > 0
    assert about["tiergate.tier"] == "nano"
    assert about["http.response.status_code"] == 200
    assert float(reply.headers["x-gateway-cost-usd"] if not stream else 1) > 0
    assert "secret friend" not in json.dumps(collector.spans)
    assert call["status"] == attempt["status"] == {}


async def test_the_upstream_is_told_the_attempt_that_calls_it(tmp_path: Path) -> None:
    async with far(Collector()) as collector, far(Plain(frozenset({"gpt-4.1-nano"}))) as server:
        assert isinstance(collector, Collector)
        config = tmp_path / "tiergate.yaml"
        config.write_text(f"catalog: {{base_url: 'http://127.0.0.1:{server.port}', key: abcdefgh}}")
        said = {
            "TIERGATE_CONFIG": str(config),
            "GATEWAY_STORE_DATA": "memory",
            "GATEWAY_TRACING_ENDPOINT": f"http://127.0.0.1:{collector.port}/v1/traces",
        }
        async with served(said) as gateway:
            ask = gateway.http.post
            await ask("/v1/chat/completions", json=chat("Hi"), headers=CONTEXT)
            quiet = {"traceparent": f"00-{CALLERS}-{SPAN}-00"}
            await ask("/v1/chat/completions", json=chat("Ho"), headers=quiet)

    attempt = collector.named("chat gpt-4.1-nano")
    first, second = (one.headers for one in server.asked)
    assert first["traceparent"] == f"00-{CALLERS}-{attempt['spanId']}-01"
    assert first["tracestate"] == "vendor=1"
    assert second["traceparent"] == quiet["traceparent"]
    assert attributes(attempt)["server.address"] == "127.0.0.1"


async def test_failed_attempts_and_refused_calls_say_what_went_wrong() -> None:
    async with far(Collector()) as collector:
        assert isinstance(collector, Collector)
        async with served(to(collector)) as gateway:
            ask = gateway.http.post
            await ask("/v1/chat/completions", json=chat("[[fault:status=503]] Hi", model="mini"))
            await ask("/v1/chat/completions", json=chat("Hi", model="no-such"))

    errors = {span["name"]: attributes(span).get("error.type") for span in collector.spans}
    assert errors["chat gpt-4.1-mini"] == "upstream_5xx"
    calls = [span for span in collector.spans if span["kind"] == 2]
    assert [attributes(span)["error.type"] for span in calls] == [
        *("upstream_5xx", "caller_model_not_found"),
    ]
    # A call that was refused is no failure of the server's.
    assert [span["status"].get("code") for span in calls] == [2, None]
    assert all("parentSpanId" not in span for span in calls)


async def test_prompts_are_traced_only_when_that_is_asked_for() -> None:
    async with far(Collector()) as collector:
        assert isinstance(collector, Collector)
        said = to(collector, GATEWAY_TRACING_CONTENT="true")
        async with served(said) as gateway:
            await gateway.http.post("/v1/chat/completions", json=chat("My secret"))
            long = {"model": "auto", "input": [{"content": ["x" * 40_000, {"text": "y"}]}, 7]}
            await gateway.http.post("/v1/responses", json=long)
            half = json.dumps(chat("Half \ud83d"))
            await gateway.http.post("/v1/chat/completions", content=half)

    first, second, third = (s for s in collector.spans if s["kind"] == 2)
    assert json.loads(attributes(first)["gen_ai.input.messages"]) == [
        {"role": "user", "parts": [{"type": "text", "content": "My secret"}]}
    ]
    (cut,) = json.loads(attributes(second)["gen_ai.input.messages"])
    assert [len(part["content"]) for part in cut["parts"]] == [32 * 1024, 0]
    assert "gen_ai.input.messages" not in attributes(third)


@pytest.mark.parametrize("share", ["0", "1"])
async def test_a_share_of_the_calls_is_traced(share: str) -> None:
    async with far(Collector()) as collector:
        assert isinstance(collector, Collector)
        async with served(to(collector, GATEWAY_TRACING_SAMPLE=share)) as gateway:
            await gateway.http.post("/v1/chat/completions", json=chat("Hi"))
            await gateway.http.post("/v1/chat/completions", json=chat("Ho"), headers=CONTEXT)

    calls = [span for span in collector.spans if span["kind"] == 2]
    assert len(calls) == 1 + int(share)
    assert CALLERS in {span["traceId"] for span in calls}


async def test_a_collector_that_is_gone_costs_no_call(free_tcp_port: int) -> None:
    said = {**FAST, "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{free_tcp_port}"}
    async with served(said) as gateway:
        reply = await gateway.http.post("/v1/chat/completions", json=chat("Hi"))

    assert reply.status_code == 200
