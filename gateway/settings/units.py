"""Reads what people write: `10s`, `32MiB`, `$0.40`, `a, b`. Messages never quote what was written.

Durations become float seconds, sizes bytes, prices nano-dollars a token; the JSON schema of each
type says how it may be spelled.
"""

import math
import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema

from gateway.money import NanoUSD, per_million

DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h|d)?")
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, None: 1.0}
# No wait or lifetime of a gateway is longer; more is a slip of the unit.
MAX_SECONDS = timedelta(days=30).total_seconds()

SIZE = re.compile(r"([0-9]+)\s*([kmg]i?b|b)?", re.IGNORECASE)
OCTETS = {"": 1, "b": 1, "kib": 2**10, "mib": 2**20, "gib": 2**30}
OCTETS |= {"kb": 10**3, "mb": 10**6, "gb": 10**9}

# The dearest model ever listed cost $600 a million; more is a slip of the decimal point.
MAX_DOLLARS_PER_MILLION = 10_000


def seconds(value: object) -> float:
    """Read a duration."""
    message = "must be a duration such as 250ms, 10s, 5m or 2h, or a number of seconds"
    if isinstance(value, int | float) and not isinstance(value, bool):
        amount = float(value)
    elif isinstance(value, str) and (match := DURATION.fullmatch(value.strip())):
        amount = float(match[1]) * SECONDS[match[2]]
    else:
        raise ValueError(message)
    if not 0 <= amount <= MAX_SECONDS:
        message = "must be a duration between 0 and 30 days"
        raise ValueError(message)
    return amount


def octets(value: object) -> int:
    """Read a size."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, str) and (match := SIZE.fullmatch(value.strip())):
        return int(match[1][:18]) * OCTETS[(match[2] or "").lower()]
    message = "must be a size such as 64KiB or 32MiB, or a number of bytes"
    raise ValueError(message)


def price(value: object) -> NanoUSD:
    """Read dollars per million tokens."""
    message = "must be dollars per million tokens such as 0.40 (up to 3 decimals)"
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(message)  # noqa: TRY004 - pydantic turns only ValueError into a complaint
    try:
        amount = per_million(str(value))
    except ValueError:
        raise ValueError(message) from None
    if amount > MAX_DOLLARS_PER_MILLION * 1_000:
        message = f"is more than ${MAX_DOLLARS_PER_MILLION:,} per million tokens: check the unit"
        raise ValueError(message)
    return amount


def parted(value: object) -> object:
    """Part a comma-separated text; leave a list as it is."""
    if isinstance(value, str):
        return [word for part in value.split(",") if (word := part.strip())]
    return value


def unswitched(value: object) -> object:
    """Undo YAML 1.1, which reads a bare `off` as false."""
    return "off" if value is False else value


def spell_seconds(amount: float) -> str:
    """Write a duration as one would in the file: 600.0 → `10m`."""
    for unit, length in (("h", 3600), ("m", 60), ("s", 1)):
        if amount >= length and math.isclose(amount % length, 0.0):
            return f"{int(amount // length)}{unit}"
    return f"{amount * 1000:g}ms" if amount < 1 else f"{amount:.12g}s"


def spell_octets(amount: int) -> str:
    """Write a size as one would in the file: 33554432 → `32MiB`."""
    for unit, length in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if amount >= length and amount % length == 0:
            return f"{amount // length}{unit}"
    return str(amount)


def spelling(kind: str, number: str, pattern: str) -> dict[str, Any]:
    """The JSON schema of a number that may carry a unit."""
    return {
        "anyOf": [{"type": number, "minimum": 0}, {"type": "string", "pattern": pattern}],
        "x-kind": kind,
    }


Duration = Annotated[
    float,
    BeforeValidator(seconds),
    WithJsonSchema(spelling("duration", "number", r"^\d+(\.\d+)?\s*(ms|s|m|h|d)?$|\$\{")),
]
Size = Annotated[
    int,
    BeforeValidator(octets),
    WithJsonSchema(spelling("size", "integer", r"^\d+\s*([kKmMgG]i?[bB]|[bB])?$|\$\{")),
]
Dollars = Annotated[
    NanoUSD,
    PlainValidator(price),
    WithJsonSchema(spelling("dollars per million tokens", "number", r"^\$?\d+(\.\d+)?$|\$\{")),
]
