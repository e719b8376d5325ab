"""Deployments that are not OpenAI's: Azure by both its APIs, servers that speak the protocol."""

import json
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from tests.app.far_servers import AZURE_KEY, ENTRA_TOKEN, Azure, Far, Plain, far
from tests.app.serving import Served, chat, served

CHEAP = "price: {prompt: 0, completion: 0}, context_window: 8000, max_output: 1000"


def tiers(directory: Path, deployment: str, **more: str) -> Mapping[str, str]:
    """The environment of a gateway whose nano is one deployment, and the others simply absent."""
    path = directory / "tiergate.yaml"
    others = "\n".join(f"    {label}: {said}" for label, said in more.items())
    text = f"catalog:\n  models: {{local: {{{CHEAP}}}}}\n  tiers:\n    nano: {deployment}\n"
    path.write_text(dedent(text) + others + "\n", encoding="utf-8")
    return {
        "TIERGATE_CONFIG": str(path),
        "OPENAI_API_KEY": "sk-openais",
        "GATEWAY_STORE_DATA": "memory",
    }


async def asked(gateway: Served, server: Far, **more: object) -> bytes:
    body = chat("Hi", model="nano", **more)
    reply = await gateway.http.post("/v1/chat/completions", json=body)
    assert reply.status_code == 200, reply.text
    sent = server.asked[-1].document()
    assert reply.headers["x-gateway-model"] == "local"
    assert reply.content == server.answer(server.asked[-1])[1] or more.get("stream")
    assert sent["messages"] == body["messages"]
    return reply.content


OLDER = "/openai/deployments/my%2Fnano/chat/completions?api-version="
NEWER = "/openai/v1/chat/completions"
BARE = ("api-key", AZURE_KEY)
BEARER = ("authorization", f"Bearer {ENTRA_TOKEN}")


@pytest.mark.parametrize(
    ("tail", "target", "credential"),
    [
        ("api_version: 2024-10-21, key: KEY", f"{OLDER}2024-10-21", BARE),
        ("api_version: preview, key: TOKEN, auth: bearer", f"{OLDER}preview", BEARER),
        ("key: KEY, auth: api-key", NEWER, BARE),
        ("key: TOKEN", NEWER, BEARER),
    ],
)
async def test_azure_is_called_as_its_own_clients_call_it(
    tmp_path: Path, tail: str, target: str, credential: tuple[str, str]
) -> None:
    older = "api_version" in tail
    name = "my/nano" if older else "mynano"
    tail = tail.replace("KEY", AZURE_KEY).replace("TOKEN", ENTRA_TOKEN)
    async with far(Azure(frozenset({name.replace("/", "%2F")}))) as azure:
        url = f"http://127.0.0.1:{azure.port}/openai{'' if older else '/v1'}"
        said = f"{{model: local, upstream_model: {name}, base_url: '{url}', {tail}}}"
        async with served(tiers(tmp_path, said)) as gateway:
            whole = await asked(gateway, azure)
            streamed = await asked(gateway, azure, stream=True)

    first, second = azure.asked
    assert json.loads(whole)["model"].endswith("nano-2025")
    assert streamed.endswith(b"data: [DONE]\n\n")
    assert b'"prompt_filter_results"' in streamed
    assert first.target == second.target == target
    assert first.headers[credential[0]] == credential[1]
    assert not {"api-key", "authorization"} - {credential[0]} <= set(first.headers)
    assert "sk-openais" not in str(first.headers)
    assert second.document()["stream_options"] == {"include_usage": True}
    assert first.document()["model"] == name


@pytest.mark.parametrize("path", ["", "/v1", "/v1/", "/v1/chat/completions"])
async def test_a_plain_server_needs_no_key_and_is_shown_none(tmp_path: Path, path: str) -> None:
    async with far(Plain(frozenset({"llama3.1:8b"}))) as server:
        url = f"http://127.0.0.1:{server.port}{path}"
        said = (
            f"{{model: local, upstream_model: 'llama3.1:8b', base_url: '{url}', "
            "headers: {X-Title: My app, x-secret: 0123456789abcdef}}"
        )
        async with served(tiers(tmp_path, said)) as gateway:
            await asked(gateway, server)

    headers = server.asked[0].headers
    assert "authorization" not in headers
    assert (headers["x-title"], headers["x-secret"]) == ("My app", "0123456789abcdef")


async def test_a_missing_azure_deployment_is_answered_by_the_next_tier(tmp_path: Path) -> None:
    async with far(Azure(frozenset({"there"}))) as azure:
        url = f"http://127.0.0.1:{azure.port}/openai/v1"
        here = f"base_url: '{url}', key: {AZURE_KEY}, auth: api-key"
        environ = tiers(
            tmp_path,
            f"{{model: local, upstream_model: gone, {here}}}",
            mini=f"{{model: gpt-4.1-mini, upstream_model: there, {here}}}",
        )
        async with served(environ) as gateway:
            reply = await gateway.http.post("/v1/chat/completions", json=chat("Hi"))

    assert reply.status_code == 200
    assert reply.headers["x-gateway-tier"] == "mini"
    assert reply.headers["x-gateway-reason"].startswith("escalated")
    assert [one.document()["model"] for one in azure.asked] == ["gone", "there"]


async def test_a_refused_key_is_not_quoted_to_the_caller(tmp_path: Path) -> None:
    async with far(Azure(frozenset({"local"}))) as azure:
        url = f"http://127.0.0.1:{azure.port}/openai/v1"
        said = f"{{model: local, base_url: '{url}', key: wrong-key-of-some-length}}"
        async with served(tiers(tmp_path, said)) as gateway:
            reply = await gateway.http.post("/v1/chat/completions", json=chat("Hi", model="nano"))

    assert reply.status_code == 502
    assert "wrong-key" not in reply.text
