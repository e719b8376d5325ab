"""Models that refuse parameters, in front of callers who send them."""

import json
from pathlib import Path

import pytest

from tests.app.far_servers import Asked, Far, Plain, far
from tests.app.serving import Served, chat, served

REFUSED = ("temperature", "top_p", "max_tokens", "presence_penalty")


class Reasoner(Plain):
    """Refuses what OpenAI's reasoning models refuse, in their words."""

    def answer(self, asked: Asked) -> tuple[int, bytes]:
        document = asked.document()
        for name in REFUSED:
            if document.get(name) not in (None, 1):
                message = f"Unsupported parameter: '{name}' is not supported with this model."
                error = {"message": message, "type": "invalid_request_error", "param": name}
                return 400, json.dumps(
                    {"error": {**error, "code": "unsupported_parameter"}}
                ).encode()
        return super().answer(asked)


async def ask(gateway: Served, **more: object) -> tuple[int, str]:
    reply = await gateway.http.post("/v1/chat/completions", json=chat("Hi", **more))
    return reply.status_code, reply.headers.get("x-gateway-reason", "")


def environ(directory: Path, server: Far, preset: str = "gpt-5", more: str = "") -> dict[str, str]:
    path = directory / "tiergate.yaml"
    url = f"http://127.0.0.1:{server.port}"
    path.write_text(f"catalog: {{preset: {preset}, base_url: '{url}', key: none-at-all{more}}}")
    return {"TIERGATE_CONFIG": str(path), "GATEWAY_STORE_DATA": "memory"}


async def test_a_routed_call_is_adapted_and_the_reason_says_so(tmp_path: Path) -> None:
    async with (
        far(Reasoner(frozenset({"gpt-5-nano"}))) as server,
        served(environ(tmp_path, server)) as gateway,
    ):
        status, reason = await ask(gateway, temperature=0.2, top_p=1, max_tokens=50)

    assert status == 200
    assert "temperature left out; max_tokens sent as max_completion_tokens;" in reason
    sent = server.asked[-1].document()
    assert sent == {
        "model": "gpt-5-nano",
        "messages": [{"role": "user", "content": "Hi"}],
        "top_p": 1,
        "max_completion_tokens": 50,
    }


async def test_a_caller_who_names_the_model_gets_its_own_refusal(tmp_path: Path) -> None:
    async with (
        far(Reasoner(frozenset({"gpt-5-nano"}))) as server,
        served(environ(tmp_path, server)) as gateway,
    ):
        status, reason = await ask(gateway, model="gpt-5-nano", temperature=0.2)

    assert status == 400
    assert "left out" not in reason


async def test_a_cap_is_told_by_the_name_the_model_knows(tmp_path: Path) -> None:
    more = ", models: {gpt-5-nano: {parameters: {limit: max_tokens, drops: []}}}"
    async with (
        far(Plain(frozenset({"gpt-5-nano"}))) as server,
        served(environ(tmp_path, server, more=more)) as gateway,
    ):
        capped = {"x-gateway-max-cost-usd": "0.0001"}
        reply = await gateway.http.post(
            "/v1/chat/completions", json=chat("Hi", model="nano"), headers=capped
        )

    assert reply.status_code == 200
    sent = server.asked[-1].document()
    assert sent["max_tokens"] < 1000
    assert "max_completion_tokens" not in sent


@pytest.mark.parametrize("preset", ["gpt-5.4", "gpt-5.6", "gpt-6"])
async def test_tools_go_without_reasoning_where_they_must(tmp_path: Path, preset: str) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
    names = frozenset({"gpt-5.4-mini", "gpt-5.6-terra", "gpt-6.1-terra"})
    async with far(Plain(names)) as server, served(environ(tmp_path, server, preset)) as gateway:
        status, _ = await ask(gateway, model="mini", tools=[tool], temperature=0.3)

    assert status == 200
    sent = server.asked[-1].document()
    assert sent["temperature"] == 0.3
    assert sent.get("reasoning_effort") == (None if preset == "gpt-5.4" else "none")


async def test_a_server_without_the_usage_option_is_not_asked_for_it(tmp_path: Path) -> None:
    more = ", models: {gpt-5-nano: {parameters: {stream_options: false}}}"
    async with (
        far(Plain(frozenset({"gpt-5-nano"}))) as server,
        served(environ(tmp_path, server, more=more)) as gateway,
    ):
        status, _ = await ask(gateway, model="nano", stream=True)

    assert status == 200
    assert "stream_options" not in server.asked[-1].document()
