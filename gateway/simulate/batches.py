"""Batches: every line of a file is answered at once, as a call of its own would be.

`validating` is what making one says; whoever asks again finds it done, with its files and use.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson

from gateway.simulate import refusals
from gateway.simulate.kept import FILES, Keeper
from gateway.simulate.shelf import Shelf

Answers = Callable[[str, bytes], Awaitable[tuple[int, Any]]]
"""A path below `/v1` and a body → a status and a document."""

BATCHES = "/batches"
ENDPOINTS = (
    *("/v1/chat/completions", "/v1/responses", "/v1/embeddings", "/v1/completions"),
    *("/v1/moderations",),
)
MOST_LINES = 1_000
WINDOW_SECONDS = 86_400
OK = 200


class Batches:
    """Makes batches; `name` gives ids that no other object has."""

    def __init__(
        self, shelf: Shelf, keeper: Keeper, name: Callable[[str], str], answers: Answers
    ) -> None:
        self._shelf = shelf
        self._keeper = keeper
        self._name = name
        self._answers = answers

    async def make(self, asked: Mapping[str, Any], now: int) -> dict[str, Any]:
        """`POST /batches`.

        Raises:
            Refusal: no such file or endpoint.
        """
        for param in ("input_file_id", "endpoint", "completion_window"):
            if not isinstance(asked.get(param), str):
                refusals.refuse_missing(param)
        endpoint = asked["endpoint"]
        if endpoint not in ENDPOINTS:
            refusals.refuse_value("endpoint", f"Supported are: {', '.join(ENDPOINTS)}.")
        lines = self._shelf.content(FILES, asked["input_file_id"]).splitlines()
        if not 0 < len(lines) <= MOST_LINES:
            message = f"The simulation takes files of 1 to {MOST_LINES} lines."
            refusals.refuse_value("input_file_id", message)
        made = {
            "id": self._name("batch_"),
            "object": "batch",
            "endpoint": endpoint,
            "errors": None,
            "input_file_id": asked["input_file_id"],
            "completion_window": asked["completion_window"],
            "status": "validating",
            "output_file_id": None,
            "error_file_id": None,
            "created_at": now,
            "expires_at": now + WINDOW_SECONDS,
            "request_counts": {"total": 0, "completed": 0, "failed": 0},
            "metadata": asked.get("metadata"),
        }
        self._shelf.put(BATCHES, {**made, **await self._done(endpoint, lines, now)})
        return made

    def cancel(self, name: str) -> dict[str, Any]:
        """`POST /batches/{id}/cancel`: it is done already.

        Raises:
            Refusal: always.
        """
        status = self._shelf.find(BATCHES, name)["status"]
        raise refusals.Refusal(409, f"Cannot cancel a batch with status '{status}'.")

    async def _done(self, endpoint: str, lines: list[bytes], now: int) -> dict[str, Any]:
        told = [await self._line(endpoint, line) for line in lines]
        good = [each for each in told if each["response"]["status_code"] == OK]
        bad = [each for each in told if each["response"]["status_code"] != OK]
        bodies = [each["response"]["body"] for each in good]
        models = [body["model"] for body in bodies if "model" in body]
        return {
            "status": "completed",
            "model": models[0] if models else None,
            "output_file_id": self._file(good, "output", now),
            "error_file_id": self._file(bad, "error", now),
            "in_progress_at": now,
            "finalizing_at": now,
            "completed_at": now,
            "request_counts": {"total": len(told), "completed": len(good), "failed": len(bad)},
            "usage": _summed([body.get("usage") or {} for body in bodies]),
        }

    def _file(self, told: list[dict[str, Any]], kind: str, now: int) -> str | None:
        if not told:
            return None
        content = b"".join(orjson.dumps(each) + b"\n" for each in told)
        made = self._keeper.file(f"batch_{kind}.jsonl", "batch_output", content, now)
        return str(made["id"])

    async def _line(self, endpoint: str, line: bytes) -> dict[str, Any]:
        name, status, body = self._name("batch_req_"), 400, _unread()
        try:
            asked = orjson.loads(line)
        except orjson.JSONDecodeError:
            asked = None
        custom = asked.get("custom_id") if isinstance(asked, dict) else None
        if isinstance(asked, dict) and asked.get("url") == endpoint:
            inside = asked.get("body")
            inside = {**inside, "stream": False} if isinstance(inside, dict) else inside
            status, body = await self._answers(endpoint.removeprefix("/v1"), orjson.dumps(inside))
        response = {"status_code": status, "request_id": name, "body": body}
        return {"id": name, "custom_id": custom, "response": response, "error": None}


def _unread() -> dict[str, Any]:
    message = "This line is not a request to the batch's endpoint."
    return refusals.envelope(message, "invalid_request_error", None, "invalid_json_line")


def _summed(usages: list[Mapping[str, Any]]) -> dict[str, Any]:
    """The use of all, in the words of batches whichever API said it."""
    asked = sum(each.get("prompt_tokens", each.get("input_tokens", 0)) for each in usages)
    written = sum(each.get("completion_tokens", each.get("output_tokens", 0)) for each in usages)
    return {
        "input_tokens": asked,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": asked + written,
    }
