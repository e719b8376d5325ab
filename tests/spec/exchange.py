"""One request sent twice, straight and through the gateway, and where the replies differ.

Replies must be equal but for what `exception` lists, with what is expected there instead.
"""

import json
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, IncompleteRead
from typing import NamedTuple
from urllib.parse import urlsplit

from tests.spec.operations import EVENTS, Operation, Sent

PATIENCE = 30.0
KEY = "Bearer sk-client"
# They speak of a connection, or of the server that makes the replies up.
UNEQUAL = {"connection", "content-length", "date", "keep-alive", "transfer-encoding", "vary"}
MADE_UP = "x-steady-"
OURS = "x-gateway-"
# How that server ends every stream, which OpenAI ends none with: such streams may be cut there.
FOREIGN_END = b"event: done\ndata: {}\n\n"
SHOWN = 240


class Got(NamedTuple):
    """A reply: its status, its fields in lower case, its body; `torn`: it was cut."""

    status: int
    fields: Mapping[str, str]
    body: bytes
    torn: bool = False


def ask(url: str, sent: Sent) -> Got:
    """Send a request to a server."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
    try:
        fields = {**sent.fields, "authorization": KEY}
        connection.request(sent.method, sent.target, sent.body or None, fields)
        reply = connection.getresponse()
        told = {name.lower(): value for name, value in reply.getheaders()}
        try:
            return Got(reply.status, told, reply.read())
        except IncompleteRead as cut:
            return Got(reply.status, told, cut.partial, torn=True)
    finally:
        connection.close()


def difference(operation: Operation, direct: Got, through: Got) -> str:
    """Where two replies differ; empty when they are as they should be."""
    if direct.status != through.status:
        return f"status {direct.status} became {through.status}: {_shown(through.body)}"
    told, kept = _told(direct), _told(through)
    if lost := {name: told[name] for name in told if kept.get(name) != told[name]}:
        return f"fields {lost} are not among {kept}"
    if through.torn and not direct.body.endswith(FOREIGN_END):
        return "it was cut"
    return exception(operation, direct)(direct.body, through.body)


def exception(operation: Operation, direct: Got) -> Callable[[bytes, bytes], str]:
    """How two bodies compare: nearly all must be equal."""
    if str(operation) in ("GET /v1/models", "GET /v1/models/{model}"):
        return _ours
    if operation.routed and direct.fields.get("content-type") == EVENTS:
        return _broken
    return _equal


def _told(got: Got) -> dict[str, str]:
    return {
        name: value
        for name, value in got.fields.items()
        if name not in UNEQUAL and not name.startswith((MADE_UP, OURS))
    }


def _equal(direct: bytes, through: bytes) -> str:
    return "" if direct == through else f"{_shown(direct)} became {_shown(through)}"


def _ours(direct: bytes, through: bytes) -> str:
    """The gateway lists its own models: they must have what OpenAI's have."""
    wanted, found = json.loads(direct), json.loads(through)
    items = zip(wanted.get("data", [wanted]) * len(found), found.get("data", [found]), strict=False)
    lacking = [str(own) for one, own in items if not one.keys() <= own.keys()]
    return f"members lack: {lacking}" if lacking else ""


def _broken(direct: bytes, through: bytes) -> str:
    """The same events, and at the foreign end an error: a routed stream has to be whole."""
    same = direct.removesuffix(FOREIGN_END)
    told = through.removeprefix(same)
    fine = len(same) < len(direct) and through.startswith(same) and b"upstream_broken" in told
    return "" if fine else f"{_shown(direct)} became {_shown(through)}"


def _shown(body: bytes) -> str:
    return repr(body if len(body) <= SHOWN else body[:SHOWN])
