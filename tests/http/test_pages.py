"""Models, metrics and documentation, and who may see which."""

from dataclasses import replace
from datetime import date
from typing import Any

import orjson
import pytest
from fastapi import FastAPI, HTTPException

from gateway.catalog import Catalog, Tier
from gateway.http.near import is_loopback
from gateway.http.openapi import REPLY_HEADERS, REQUEST_HEADERS
from tests.fakes import FULL, MINI, MODELS, NANO, catalog, model
from tests.http.edge import Edge, edge, get, post
from tests.http.wires import Said, Wire

ELSEWHERE = ("203.0.113.7", 40_000)
PRIVATE = ["/metrics", "/openapi.json", "/docs"]


async def ask(path: str, *fields: str, where: Catalog | None = None, **pages: Any) -> Said:
    async with edge(where=where, **pages) as e:
        return await e.ask(get(path, *fields))


# ── models ───────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("path", ["/v1/models", "/models"])
async def test_the_list_has_the_auto_names_the_tiers_and_the_models(path: str) -> None:
    document = orjson.loads((await ask(path)).body)

    assert document["object"] == "list"
    assert [entry["id"] for entry in document["data"]] == [
        *("auto", "auto:floor", "auto:nitro"),
        *("nano", "mini", "full"),
        *(NANO.name, MINI.name, FULL.name),
    ]
    for entry in document["data"]:
        assert entry["object"] == "model"
        assert entry["created"] == 1_700_000_000
        assert entry["owned_by"] in ("tiergate", "upstream")


@pytest.mark.parametrize("path", ["/v1/models/", "/models/"])
async def test_each_of_them_is_described_alone(path: str) -> None:
    auto = orjson.loads((await ask(path + "auto:floor")).body)
    nano = orjson.loads((await ask(path + "nano")).body)
    full = orjson.loads((await ask(path + "gpt-4.1")).body)

    assert auto == {
        "id": "auto:floor",
        "object": "model",
        "created": 1_700_000_000,
        "owned_by": "tiergate",
    }
    assert nano["model"] == "gpt-4.1-nano"
    assert full["tier"] == "full"
    assert full["context_window"] == 1_047_576
    assert full["max_output_tokens"] == 32_768
    assert full["shutdown_date"] is None


async def test_a_model_that_will_be_shut_down_says_when() -> None:
    ending = catalog({**MODELS, Tier.NANO: replace(NANO, shutdown=date(2026, 10, 23))})
    entry = orjson.loads((await ask("/v1/models/gpt-4.1-nano", where=ending)).body)

    assert entry["shutdown_date"] == "2026-10-23"


async def test_a_name_with_a_slash_is_a_name() -> None:
    slashed = catalog({**MODELS, Tier.FULL: model("openai/gpt-4.1", FULL.price)})
    entry = orjson.loads((await ask("/v1/models/openai/gpt-4.1", where=slashed)).body)

    assert entry["id"] == "openai/gpt-4.1"


async def test_an_unknown_model_is_not_found_and_not_echoed_at_length() -> None:
    said = await ask("/v1/models/" + "x" * 5000)

    assert said.status == 404
    assert said.error["code"] == "model_not_found"
    assert said.error["param"] == "model"
    assert len(said.error["message"]) < 300


# ── metrics ──────────────────────────────────────────────────────────────────
async def test_metrics_are_plain_text_by_default() -> None:
    async with edge() as e:
        await e.ask(post())
        said = await e.ask(get("/metrics"))

    assert said.status == 200
    assert said.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert b'tier="nano"' in said.body
    assert not said.body.endswith(b"# EOF\n")


async def test_metrics_are_openmetrics_for_who_accepts_them() -> None:
    said = await ask("/metrics", "Accept: application/openmetrics-text; version=1.0.0")

    assert said.headers["content-type"].startswith("application/openmetrics-text")
    assert said.body.endswith(b"# EOF\n")


async def test_refused_requests_are_counted_too() -> None:
    async with edge(limits={"max_body": 10}) as e:
        await e.ask(post())
        await e.ask(b"nonsense\r\n\r\n")
        page = (await e.ask(get("/metrics"))).body

    assert b'outcome="caller_too_large"' in page
    assert b'outcome="caller_malformed"' in page


# ── documentation ────────────────────────────────────────────────────────────
async def test_the_document_describes_every_page_and_the_chat_endpoint() -> None:
    document = orjson.loads((await ask("/openapi.json")).body)

    assert document["info"]["title"] == "Tiergate"
    assert next(iter(document["paths"])) == "/v1/chat/completions"
    assert set(document["paths"]) == {
        "/v1/chat/completions",
        "/v1/responses",
        "/v1/responses/compact",
        "/v1/messages",
        "/v1/route",
        "/v1/models",
        "/v1/models/{name}",
        "/healthz",
        "/readyz",
        *PRIVATE,
    }
    chat = document["paths"]["/v1/chat/completions"]["post"]
    assert {one["name"] for one in chat["parameters"]} == set(REQUEST_HEADERS)
    assert set(chat["responses"]["200"]["headers"]) == set(REPLY_HEADERS)
    operations = [op["operationId"] for path in document["paths"].values() for op in path.values()]
    assert len(set(operations)) == len(operations)


async def test_the_document_is_made_once() -> None:
    async with edge() as e:
        first, again = [await e.ask(get("/openapi.json")) for _ in range(2)]

    assert first.body == again.body


async def test_the_documentation_for_people_shows_the_document() -> None:
    said = await ask("/docs")

    assert said.status == 200
    assert said.headers["content-type"] == "text/html; charset=utf-8"
    assert b"/openapi.json" in said.body


# ── who may see what ─────────────────────────────────────────────────────────
async def from_elsewhere(e: Edge) -> Wire:
    """A connection whose other end is another machine, as far as the server knows."""
    wire = await e.dial()
    await wire.ask(get("/healthz"))
    e.connections()[0].client = ELSEWHERE
    return wire


@pytest.mark.parametrize("path", PRIVATE)
async def test_operations_are_for_this_machine_only(path: str) -> None:
    async with edge() as e:
        near = await e.ask(get(path))
        e.hang_up()
        await e.until(lambda: not e.connections())
        far = await (await from_elsewhere(e)).ask(get(path))

    assert near.status == 200
    assert far.status == 403
    assert far.error["code"] == "permission_denied"
    assert far.error["type"] == "invalid_request_error"


@pytest.mark.parametrize("path", PRIVATE)
@pytest.mark.parametrize("field", ["X-Forwarded-For: 127.0.0.1", "Forwarded: for=127.0.0.1"])
async def test_a_proxy_on_this_machine_does_not_open_operations(path: str, field: str) -> None:
    assert (await ask(path, field)).status == 403


@pytest.mark.parametrize("path", PRIVATE)
async def test_operations_may_be_opened(path: str) -> None:
    async with edge(open_operations=True) as e:
        said = await (await from_elsewhere(e)).ask(get(path))

    assert said.status == 200


@pytest.mark.parametrize("path", ["/v1/models", "/healthz", "/readyz"])
async def test_everything_else_is_for_everyone(path: str) -> None:
    async with edge() as e:
        said = await (await from_elsewhere(e)).ask(get(path, "X-Forwarded-For: 203.0.113.7"))

    assert said.status == 200


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("::ffff:203.0.113.7", False),
        ("10.0.0.1", False),
        ("0.0.0.0", False),  # noqa: S104 - looked at, not bound
        ("fe80::1", False),
    ],
)
def test_loopback_is_told_from_the_rest(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


# ── what FastAPI itself may refuse ───────────────────────────────────────────
def with_further_pages(app: FastAPI) -> None:
    @app.get("/numbers/{number}")
    async def numbers(number: int) -> int:
        raise HTTPException(418, "short and stout")


@pytest.mark.parametrize(
    ("path", "status", "code", "param"),
    [("/numbers/one", 422, "invalid_value", "number"), ("/numbers/1", 418, None, None)],
)
async def test_what_fastapi_refuses_leaves_in_the_envelope(
    path: str, status: int, code: str | None, param: str | None
) -> None:
    async with edge() as e:
        with_further_pages(e.server.config.loaded_app)
        said = await e.ask(get(path))

    assert said.status == status
    assert said.error["code"] == code
    assert said.error["param"] == param
