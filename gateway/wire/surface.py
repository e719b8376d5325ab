"""The parts of the API that are passed on as they are: which they are, what they may cost.

An area is the first segment of a path below `/v1`, as metrics and settings name it; whatever is not
in the table is `other`, so that paths not invented yet pass too. Refused: paths that could mean
another place upstream than they say here.
"""

import re
from collections.abc import Iterable, Mapping
from enum import Enum, auto
from typing import Any

from gateway.call import Headers
from gateway.errors import NotFound
from gateway.wire.headers import TO_CLIENT, TO_UPSTREAM

ROOT = b"/v1/"
OTHER = "other"


class Toll(Enum):
    """What sending something to an area may cost."""

    NOTHING = auto()
    UNKNOWN = auto()


# Sending to these stores or arranges something that costs nothing, or next to it.
TOLLS: Mapping[str, Toll] = {
    "assistants": Toll.UNKNOWN,
    "audio": Toll.UNKNOWN,
    "batches": Toll.UNKNOWN,
    "chat": Toll.UNKNOWN,
    "chatkit": Toll.UNKNOWN,
    "completions": Toll.UNKNOWN,
    "containers": Toll.UNKNOWN,
    "conversations": Toll.NOTHING,
    "embeddings": Toll.UNKNOWN,
    "evals": Toll.UNKNOWN,
    "files": Toll.NOTHING,
    "fine_tuning": Toll.UNKNOWN,
    "images": Toll.UNKNOWN,
    "models": Toll.NOTHING,
    "moderations": Toll.NOTHING,
    "organization": Toll.UNKNOWN,
    "projects": Toll.UNKNOWN,
    "realtime": Toll.UNKNOWN,
    "responses": Toll.UNKNOWN,
    "skills": Toll.UNKNOWN,
    "threads": Toll.UNKNOWN,
    "uploads": Toll.NOTHING,
    "vector_stores": Toll.UNKNOWN,
    "videos": Toll.UNKNOWN,
}
AREAS = (*TOLLS, OTHER)
# These are the whole account's, here and at others: who is in it, its keys, its bills.
ACCOUNT_WIDE = frozenset(
    {
        "activity",
        "admin",
        "api_keys",
        "billing",
        "credits",
        "dashboard",
        "key",
        "keys",
        "organization",
        "organizations",
        "projects",
        "usage",
    }
)
# What is charged is charged for the model that the body names, and for no other.
NAMING = frozenset(
    {
        "audio",
        "chat",
        "completions",
        "embeddings",
        "images",
        "realtime",
        "responses",
        "videos",
    }
)
# Their bodies may be forms, which are not read.
FORMS = frozenset(
    {"audio", "containers", "files", "images", "realtime", "skills", "uploads", "videos"}
)
READING = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})
# POSTs to these look at what is there, or change its labels.
HARMLESS_ENDS = ("/cancel", "/input_tokens")
TUNNELLED = frozenset({"realtime", "responses"})
# These end or bend a path where a server reads it so, or spell what needs no spelling: a letter, a
# digit, `-`, `.`, `/`, `\`, `_`, `~`, a control character, and `%` itself.
DISGUISED = re.compile(
    rb"[\\#;\x00-\x20\x7f]|%(?:[01].|2[def5]|3[0-9]|4[1-9a-f]|5[0-9acf]|6[1-9a-f]|7[0-9aef])",
    re.IGNORECASE,
)
FORBIDDEN_SEGMENTS = frozenset({b"", b".", b".."})

# Beside what every call may say: what these bodies are, and how much of a file is wanted.
PASSED_TO_UPSTREAM = TO_UPSTREAM | {
    b"content-type",
    b"content-encoding",
    b"range",
    b"if-match",
    b"if-modified-since",
    b"if-none-match",
    b"if-range",
}
PASSED_TO_CLIENT = TO_CLIENT | {
    b"accept-ranges",
    b"allow",
    b"cache-control",
    b"content-range",
    b"etag",
    b"last-modified",
    # How long to wait before asking again for what is being made: the SDKs' polling obeys it.
    b"openai-poll-after-ms",
    # An event stream's sender asks the proxies after us not to hold it back.
    b"x-accel-buffering",
}
TUNNEL_FIELDS = frozenset({b"sec-websocket-key", b"sec-websocket-version"})
TUNNEL_REPLY_FIELDS = frozenset({b"sec-websocket-accept", b"sec-websocket-protocol"})
SUBPROTOCOL = b"sec-websocket-protocol"
# Browsers can set no header: here they put a key, which is for the gateway and goes no further.
KEY_SUBPROTOCOL = b"openai-insecure-api-key."
IDENTITY_SUBPROTOCOLS = (KEY_SUBPROTOCOL, b"openai-organization.", b"openai-project.")


def below(path: bytes) -> str:
    """The path below `/v1`, with its slash.

    Raises:
        NotFound: it is none that can be passed on.
    """
    inside = path[len(ROOT) - 1 :]
    plain = inside.isascii() and DISGUISED.search(inside) is None
    if not plain or not FORBIDDEN_SEGMENTS.isdisjoint(inside.split(b"/")[1:]):
        message = "Invalid URL: its path holds what no path of this API does."
        raise NotFound(message)
    return inside.decode()


def area(inside: str) -> str:
    """The area of a path below `/v1`; some servers do not tell letters apart by their size."""
    first = inside[1:].partition("/")[0].lower()
    return first if first in TOLLS else OTHER


def toll(method: str, inside: str) -> Toll:
    """What a request may cost."""
    first = area(inside)
    if method in READING or inside.endswith(HARMLESS_ENDS):
        return Toll.NOTHING
    if first == "chat" and inside.count("/") > 2:
        # `/chat/completions/{id}`: the labels of a stored one.
        return Toll.NOTHING
    return TOLLS.get(first, Toll.UNKNOWN)


def passed_to_upstream(fields: Iterable[tuple[bytes, bytes]], *, tunnel: bool = False) -> Headers:
    """The request fields that go on; of a tunnel's subprotocols, those that hold no credential."""
    kept = []
    for name, value in fields:
        listed = name in PASSED_TO_UPSTREAM or name.startswith(b"x-stainless-")
        if listed or (tunnel and name in TUNNEL_FIELDS):
            kept.append((name, value))
        elif tunnel and name == SUBPROTOCOL and (offered := _subprotocols(value)):
            kept.append((name, offered))
    return tuple(kept)


def _subprotocols(value: bytes) -> bytes:
    offered = [one.strip() for one in value.split(b",")]
    return b", ".join(one for one in offered if not one.startswith(IDENTITY_SUBPROTOCOLS))


def key_among_subprotocols(fields: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The key a browser has put among its subprotocols, `b""` if it has none there."""
    for name, value in fields:
        for one in value.split(b",") if name == SUBPROTOCOL else ():
            if one.strip().startswith(KEY_SUBPROTOCOL):
                return one.strip()[len(KEY_SUBPROTOCOL) :]
    return b""


def passed_to_client(fields: Iterable[tuple[bytes, bytes]], *, tunnel: bool = False) -> Headers:
    """The reply fields that come back; an address only if it is one below this host."""
    kept = []
    for name, value in fields:
        listed = name in PASSED_TO_CLIENT or name.startswith(b"x-ratelimit-")
        near = name == b"location" and value.startswith(b"/") and not value.startswith(b"//")
        if listed or near or (tunnel and name in TUNNEL_REPLY_FIELDS):
            kept.append((name, value))
    return tuple(kept)


def named_models(document: Mapping[str, Any]) -> list[str]:
    """Every model a body names where its API has one: at the top, in a session's description."""
    session = document.get("session")
    places = (document, session if isinstance(session, dict) else {})
    return [place["model"] for place in places if isinstance(place.get("model"), str)]


def named_model(document: Mapping[str, Any]) -> str:
    """The first of them, or nothing."""
    return next(iter(named_models(document)), "")
