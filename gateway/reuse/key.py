"""What makes two calls the same call: a digest over everything that can change the answer.

A list of what is left *out*, never of what goes in: a field nobody has heard of yet is part of the
key, so a new parameter can cost a hit but never serve a wrong answer. Two bodies share a key when
they are the same JSON (order and spacing of members aside) from the same tenant, at the same
endpoint, under the same catalog, with the same wishes, for the same tiers; header fields that can
change an answer (`gateway.wire.headers`) are part of it too.

Everything goes through one serialisation of one list, so no field can be shifted into its
neighbour, and the whole 256 bits of SHA-256 are kept: nobody can aim at another's entry.

Refused: deciding whether a reply may be kept at all (`gateway.reuse.policy`), and reading bodies
(`gateway.wire`): where a body spells a member twice, the document holds the last, as the usual
readers do.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from gateway.call import NO_WISHES, Wishes

IGNORED = frozenset(
    {
        "metadata",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "safety_identifier",
        "user",
    }
)
"""Members that name, label or place a call and leave its answer alone."""

EXACT = 2.0**53
"""From here on neighbouring whole numbers are one float."""

_ONLY_DIGITS = bytes(48 if 48 <= byte <= 57 else 32 for byte in range(256))
_WIDE = b"0" * 16
"""2**53 has sixteen digits: a body without such a run holds no number a reader could collapse."""


def cache_key(  # noqa: PLR0913 — all that can change an answer, each named where it is passed
    *,
    endpoint: str,
    body: bytes,
    document: Mapping[str, Any],
    wishes: Wishes,
    dropped: frozenset[str],
    tenant: str,
    catalog_version: str,
    apart: Sequence[Any] = (),
) -> bytes:
    """The 32 bytes under which this call's reply is kept.

    Args:
        endpoint: The path below the API's base, such as `chat/completions`.
        body: The client's bytes.
        document: What a reader saw in them.
        wishes: What the caller wants; only what can change an answer counts.
        dropped: Members that were wishes: they are stripped before the upstream sees them.
        tenant: Whose call it is; replies never cross tenants.
        catalog_version: Changes when any model, tier or rule does.
        apart: Whatever else tells it from other calls: most are told by nothing else.
    """
    if not (IGNORED.isdisjoint(document) and dropped.isdisjoint(document)):
        left_out = IGNORED | dropped
        document = {name: value for name, value in document.items() if name not in left_out}
    wanted = None if wishes is NO_WISHES else _that_matter(wishes)
    parts = [endpoint, tenant, catalog_version, wanted, document]
    # Behind the document, so that a list without it is no other list with it.
    digest = hashlib.sha256(_canonical([*parts, apart] if apart else parts))
    if _WIDE in body.translate(_ONLY_DIGITS) and _holds_collapsed(document):
        # Two such numbers may differ and read the same, so only equal bytes are equal.
        # JSON has no raw NUL: the body cannot be mistaken for more of the list.
        digest.update(b"\0" + body)
    return digest.digest()


def _that_matter(wishes: Wishes) -> list[Any] | None:
    """The wishes that can change an answer, or None when none is set."""
    found = [
        wishes.tier,
        wishes.sort.value,
        wishes.quality,
        wishes.max_cost,
        wishes.deadline,
        wishes.ttft,
        wishes.models,
        wishes.allowed,
        wishes.max_price,
        wishes.cache.namespace,
    ]
    return None if found == _NOTHING_WISHED else found


def _canonical(parts: list[Any]) -> bytes:
    try:
        return orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        # Lone surrogates and whole numbers beyond 64 bits: rare, legal, and to be told apart.
        # The two writers space differently, so their outputs never meet.
        return json.dumps(parts, sort_keys=True).encode()


def _holds_collapsed(document: Mapping[str, Any]) -> bool:
    """Whether a number may have lost digits when it was read (long digits in text do not count)."""
    rest: list[Any] = [document]
    while rest:
        value = rest.pop()
        if isinstance(value, float):
            if abs(value) >= EXACT:
                return True
        elif isinstance(value, Mapping):
            rest.extend(value.values())
        elif isinstance(value, list):
            rest.extend(value)
    return False


_NOTHING_WISHED = [None, "balanced", None, None, None, None, (), (), (None, None), ""]
