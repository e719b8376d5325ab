"""Embedding calls, input by input: what is asked, a body for some of it, a reply out of parts.

A batch is many inputs whose vectors do not depend on each other. Only calls are split whose every
member is understood here; any other passes whole.
"""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson

from gateway.wire.members import Edit, members, splice

# `user` says who asks and changes no vector.
UNDERSTOOD = frozenset({"model", "input", "dimensions", "encoding_format", "user"})
MOST_INPUTS = 256
KEY_BYTES = 20


class Batch(NamedTuple):
    """The inputs of one call, each with the key its vector is kept under."""

    inputs: tuple[Any, ...]
    keys: tuple[bytes, ...]


def batch(document: Mapping[str, Any], *where: str) -> Batch | None:
    """The inputs of a call, None for one that cannot be split; `where` tells accounts apart."""
    if not document.keys() <= UNDERSTOOD or not isinstance(document.get("model"), str):
        return None
    inputs = _inputs(document.get("input"))
    if not 0 < len(inputs) <= MOST_INPUTS:
        return None
    said = [document.get(name) for name in ("model", "dimensions", "encoding_format")]
    try:
        start = blake2b(orjson.dumps([*where, *said]), digest_size=KEY_BYTES)
        keys = []
        for one in inputs:
            key = start.copy()
            key.update(orjson.dumps(one))
            keys.append(b"emb:" + key.digest())
    except orjson.JSONEncodeError:
        # Half a surrogate pair: the upstream will say what it thinks of it.
        return None
    return Batch(inputs, tuple(keys))


def _inputs(said: object) -> tuple[Any, ...]:
    """Each text, or each array of token ids, by itself."""
    if isinstance(said, str):
        return (said,)
    if not isinstance(said, list) or not said:
        return ()
    if all(one.__class__ is int for one in said):
        return (said,)
    if all(isinstance(one, str) for one in said):
        return tuple(said)
    if all(isinstance(one, list) and all(n.__class__ is int for n in one) for one in said):
        return tuple(said)
    return ()


def asking_for(body: bytes, inputs: Iterable[Any]) -> bytes:
    """The same call for these inputs only; its other bytes stay."""
    text = orjson.dumps(list(inputs))
    found = [member for member in members(body) if member.name == "input"]
    return splice(body, [Edit(member.value, member.end, text) for member in found])


class Vectors(NamedTuple):
    """What a reply brought: its vectors as JSON, in the order asked, its model, its tokens."""

    texts: tuple[bytes, ...]
    model: str
    tokens: int


def vectors(document: object, count: int) -> Vectors | None:
    """Read a reply; None where it is not one vector for each of the inputs."""
    if not isinstance(document, dict):
        return None
    data, usage, model = (document.get(name) for name in ("data", "usage", "model"))
    tokens = usage.get("prompt_tokens") if isinstance(usage, dict) else None
    if not isinstance(data, list) or len(data) != count or tokens.__class__ is not int:
        return None
    found: dict[int, bytes] = {}
    for entry in data:
        if (
            isinstance(entry, dict)
            and entry.get("embedding")
            and entry.get("index").__class__ is int
        ):
            found[entry["index"]] = orjson.dumps(entry["embedding"])
    if sorted(found) != list(range(count)):
        return None
    texts = tuple(found[index] for index in range(count))
    return Vectors(texts, model if isinstance(model, str) else "", max(0, int(tokens or 0)))


def composed(texts: Iterable[bytes], model: str, tokens: int) -> bytes:
    """A whole reply out of vectors."""
    entries = (
        b'{"object":"embedding","index":%d,"embedding":%b}' % (index, text)
        for index, text in enumerate(texts)
    )
    return (
        b'{"object":"list","data":[%b],"model":%b,"usage":{"prompt_tokens":%d,"total_tokens":%d}}'
        % (
            b",".join(entries),
            orjson.dumps(model),
            tokens,
            tokens,
        )
    )
