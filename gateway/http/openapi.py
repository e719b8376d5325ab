"""The OpenAPI document: FastAPI's own, and the routed endpoints it does not serve."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

REQUEST_HEADERS = {
    "x-gateway-max-cost-usd": "Most this call may cost, in dollars.",
    "x-gateway-deadline-ms": "Milliseconds this call may take to its last byte.",
    "x-gateway-ttft-ms": "Milliseconds it may take to its first byte.",
    "x-gateway-quality": "The dial from 0 (cheapest) to 1 (best).",
    "x-gateway-tier": "`nano`, `mini` or `full`: that tier and no other.",
    "x-gateway-cache": "`no-cache`, `no-store`, `off`, `on`, `ttl=SECONDS`, `max-age=SECONDS`, "
    "`namespace=NAME`; comma-separated.",
    "x-gateway-explain": "`1` puts the decision into the reply.",
    "x-session-id": "Calls with the same id keep their tier.",
}
REPLY_HEADERS = {
    "x-gateway-model": "The model that was called.",
    "x-gateway-tier": "Its tier.",
    "x-gateway-reason": "Why: a code, then words.",
    "x-gateway-cache": "`hit`, `shared`, `miss` or `bypass; why`.",
    "x-gateway-cost-usd": "What the call cost (a stream: is expected to cost), in dollars.",
    "x-gateway-saved-usd": "What the dearest tier would have cost more.",
    "x-gateway-overhead-ms": "The gateway's own time until the reply began.",
    "x-gateway-attempts": "Upstream calls made.",
    "x-gateway-score": "Predicted gain of a larger model, 0 to 1 (routed calls).",
    "x-gateway-quality": "Predicted quality of nano, mini and full (routed calls).",
    "x-gateway-decision-id": "The gateway's own id of the call.",
}


def document(app: FastAPI) -> dict[str, Any]:
    """The whole document, made once."""
    if not app.openapi_schema:
        made = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
        )
        routed = {path: {"post": _described(**told)} for path, told in ROUTED.items()}
        made["paths"] = {**routed, **made["paths"]}
        app.openapi_schema = made
    return app.openapi_schema


def _described(operation: str, said: str, shape: dict[str, Any]) -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "tags": ["routed"],
        "operationId": operation,
        "summary": "Answer by the smallest model that is good enough",
        "description": f"{said} `model` is `auto`, `auto:floor`, `auto:nitro`, a tier (`nano`, "
        "`mini`, `full`) or a model's own name.",
        "parameters": [
            {"name": name, "in": "header", "description": words, "schema": text}
            for name, words in REQUEST_HEADERS.items()
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": shape}}},
        "responses": {
            "200": {
                "description": "The reply, or with `stream` its events",
                "headers": {
                    name: {"description": words, "schema": text}
                    for name, words in REPLY_HEADERS.items()
                },
                "content": {
                    "application/json": {"schema": {"type": "object"}},
                    "text/event-stream": {"schema": text},
                },
            },
            "4XX": {
                "description": "The caller's mistake",
                "content": {"application/json": {"schema": _error()}},
            },
            "5XX": {
                "description": "The gateway's or the upstreams'",
                "content": {"application/json": {"schema": _error()}},
            },
        },
    }


def _shape(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - a document's members
    """What a request needs; `more` are its members beside the model, with an example each."""
    listed = {"type": "array", "items": {"type": "object"}}
    kinds = {list: listed, int: {"type": "integer"}, str: {"type": ["string", "array"]}}
    return {
        "type": "object",
        "required": ["model", *more],
        "additionalProperties": True,
        "properties": {
            "model": {"type": "string", "examples": ["auto"]},
            "stream": {"type": "boolean"},
            **{name: kinds[type(example)] for name, example in more.items()},
        },
        "example": {"model": "auto", **more},
    }


def _error() -> dict[str, Any]:
    nullable = {"type": ["string", "null"]}
    return {
        "type": "object",
        "properties": {
            "error": {
                "type": "object",
                "required": ["message", "type", "param", "code"],
                "properties": {
                    "message": {"type": "string"},
                    "type": {"type": "string"},
                    "param": nullable,
                    "code": nullable,
                },
            }
        },
    }


HELLO = [{"role": "user", "content": "Hello!"}]
OPENAI = "OpenAI's request and reply, byte for byte."
ANTHROPIC = "Anthropic's request and reply, translated into a chat completion and back."
DRY = (
    "A dry run: the body of any of the routed calls (Anthropic's with its `anthropic-version` "
    "header), answered with the whole decision. Nothing is sent upstream, held or booked."
)
ROUTED: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {
        "operation": "createChatCompletion",
        "said": OPENAI,
        "shape": _shape(messages=HELLO),
    },
    "/v1/responses": {
        "operation": "createResponse",
        "said": OPENAI,
        "shape": _shape(input="Hello!"),
    },
    "/v1/responses/compact": {
        "operation": "compactResponse",
        "said": OPENAI,
        "shape": _shape(input="Hello!"),
    },
    "/v1/messages": {
        "operation": "createMessage",
        "said": ANTHROPIC,
        "shape": _shape(max_tokens=1024, messages=HELLO),
    },
    "/v1/route": {
        "operation": "considerRoute",
        "said": DRY,
        "shape": _shape(messages=HELLO),
    },
}
