"""What callers say about kept replies, in three dialects: ours, HTTP's and LiteLLM's `cache{}`.

Each reader returns fields of `CacheWish`, so that a stronger dialect overrides just what it
mentions. `cache-control` is HTTP's: browsers and proxies send it, so what it says beyond our
words, or says badly, is ignored and never refused.
"""

from collections.abc import Callable, Mapping
from typing import Any

from gateway.errors import InvalidValue
from gateway.wire.values import YEAR_SECONDS, name, number, refuse

_WORDS: Mapping[str, Mapping[str, bool]] = {
    "no-cache": {"read": False},
    "no-store": {"write": False},
    "bypass": {"read": False, "write": False},
    "off": {"read": False, "write": False},
    "on": {"read": True, "write": True, "force": True},
    "force": {"read": True, "write": True, "force": True},
}
_HTTP_WORDS = ("no-cache", "no-store")
_ALLOWED = (
    "no-cache, no-store, bypass, off, on, force, ttl=SECONDS, max-age=SECONDS or namespace=NAME, "
    "separated by commas"
)


def _seconds(value: object, param: str) -> float:
    return number(value, param, 0, YEAR_SECONDS, " seconds")


_VALUES: Mapping[str, tuple[str, Callable[[object, str], Any]]] = {
    "ttl": ("ttl", _seconds),
    "max-age": ("max_age", _seconds),
    "s-maxage": ("max_age", _seconds),
    "s-max-age": ("max_age", _seconds),
    "namespace": ("namespace", name),
}
_OUR_VALUES = ("ttl", "max-age", "namespace")


def from_gateway_header(text: str) -> dict[str, Any]:
    """Read `x-gateway-cache`.

    Raises:
        InvalidValue: a word or value we do not know.
    """
    param = "x-gateway-cache"
    fields: dict[str, Any] = {}
    for directive in text.split(","):
        word, equals, value = (part.strip() for part in directive.partition("="))
        word = word.lower()
        if equals and word in _OUR_VALUES:
            field, reader = _VALUES[word]
            fields[field] = reader(value, f"{param} {word}")
        elif not equals and word in _WORDS:
            fields.update(_WORDS[word])
        else:
            refuse(param, _ALLOWED)
    return fields


def from_cache_control(text: str) -> dict[str, Any]:
    """Read `cache-control`: `no-cache`, `no-store` and `max-age`; the rest is not for us."""
    fields: dict[str, Any] = {}
    for directive in text.lower().split(","):
        word, _, value = (part.strip() for part in directive.partition("="))
        if word in _HTTP_WORDS:
            fields.update(_WORDS[word])
        elif word == "max-age":
            try:
                fields["max_age"] = _seconds(value.strip('"'), word)
            except InvalidValue:
                continue
    return fields


def from_member(value: object) -> dict[str, Any] | None:
    """Read LiteLLM's `cache`; None when it is none.

    Raises:
        InvalidValue: a value it cannot have.
    """
    if not isinstance(value, dict):
        return None
    fields: dict[str, Any] = {}
    for word, said in value.items():
        param = f"cache.{word}"
        if said is None:
            continue
        if word in _HTTP_WORDS:
            if not isinstance(said, bool):
                refuse(param, "true or false")
            fields.update(_WORDS[word] if said else {})
        elif word in _VALUES:
            field, reader = _VALUES[word]
            fields[field] = reader(said, param)
    return fields
