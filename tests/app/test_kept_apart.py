"""What a running gateway may answer from memory, and to whom: never what differs in anything."""

from typing import Any

from gateway.access.token import RANDOM_BYTES, issue
from tests.app.serving import FAST, Served, chat, served

ONE, OTHER = (issue(bytes([n]) * RANDOM_BYTES).key.reveal() for n in (3, 4))
CONFIG = f"""
catalog: gpt-5.4
keys:
  - {{ name: one, key: {ONE} }}
  - {{ name: other, key: {OTHER} }}
"""
TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}
SCHEMA = {
    "type": "json_schema",
    "json_schema": {"name": "a", "schema": {"type": "object", "properties": {}}},
}
CHANGES: tuple[dict[str, Any], ...] = (
    {"reasoning_effort": "low"},
    {"seed": 7},
    {"tools": [TOOL]},
    {"response_format": SCHEMA},
    {"response_format": {"type": "text"}},
    {"service_tier": "flex"},
    {"max_completion_tokens": 77},
    {"stop": ["x"]},
    {"verbosity": "low"},
    {"messages": [{"role": "user", "content": "What is the capital of France!"}]},
)


async def kept(running: Served, key: str, body: dict[str, Any]) -> tuple[str, bytes]:
    headers = {"authorization": f"Bearer {key}"}
    reply = await running.http.post("/v1/chat/completions", json=body, headers=headers)
    assert reply.status_code == 200, reply.text
    return reply.headers["x-gateway-cache"].partition(";")[0], reply.content


async def test_whatever_differs_is_asked_anew_and_nobody_gets_anothers_reply(tmp_path: Any) -> None:
    config = tmp_path / "tiergate.yaml"
    config.write_text(CONFIG)
    async with served({**FAST, "TIERGATE_CONFIG": str(config)}) as running:
        for stream in (False, True):
            body = chat("What is the capital of France?", stream=stream)
            first = await kept(running, ONE, body)
            for change in CHANGES:
                assert (await kept(running, ONE, {**body, **change}))[0] == "miss", change
            apart = await kept(running, OTHER, body)
            again = await kept(running, ONE, body)

            assert (first[0], apart[0], again[0]) == ("miss", "miss", "hit")
            assert again[1] == first[1]
