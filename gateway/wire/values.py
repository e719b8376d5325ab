"""Reads the values callers write into knobs; what cannot be meant is refused by name and range."""

import re
from typing import NoReturn

from gateway.errors import InvalidValue
from gateway.money import NanoUSD, usd

DAY_SECONDS = 86_400.0
YEAR_SECONDS = 31_536_000.0
_NAME = re.compile(r"\S{1,128}")
# Python also reads 1_000 and blanks; callers mean neither.
_NUMBER = re.compile(r"[+-]?(?:\d++\.?\d*+|\.\d++)(?:[eE][+-]?\d++)?", re.ASCII)
_TOKENS_PER_PRICE = 1_000_000


def refuse(param: str, allowed: str) -> NoReturn:
    """Say what `param` may be.

    Raises:
        InvalidValue: always.
    """
    message = f"Invalid value for {param}: it must be {allowed}."
    raise InvalidValue(message, param=param)


def number(value: object, param: str, low: float, high: float, unit: str = "") -> float:
    """A finite number from `low` to `high`, as JSON's number or as text.

    Raises:
        InvalidValue: anything else, NaN and infinity included.
    """
    if isinstance(value, str):
        # 400 characters hold any float that is written out in full.
        value = float(value) if len(value) < 400 and _NUMBER.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        refuse(param, f"a number from {low:g} to {high:,.0f}{unit}")
    return float(value)


def choice(value: object, param: str, allowed: tuple[str, ...]) -> str:
    """One of some words, in any case.

    Raises:
        InvalidValue: anything else.
    """
    word = value.lower() if isinstance(value, str) else ""
    if word not in allowed:
        refuse(param, "one of " + ", ".join(allowed))
    return word


def name(value: object, param: str) -> str:
    """A short name.

    Raises:
        InvalidValue: when it is empty, long, or has blanks or control characters.
    """
    if not isinstance(value, str) or not _NAME.fullmatch(value) or not value.isprintable():
        refuse(param, "1 to 128 printable characters without blanks")
    return value


def names(value: object, param: str) -> tuple[str, ...]:
    """A list of up to 32 model names.

    Raises:
        InvalidValue: anything else.
    """
    if not isinstance(value, list) or len(value) > 32:
        refuse(param, "a list of at most 32 names")
    return tuple(name(item, param) for item in value)


def dollars(value: object, param: str) -> NanoUSD:
    """A sum of dollars, as JSON's number or as text.

    Raises:
        InvalidValue: when it is no finite, non-negative sum.
    """
    text = "" if isinstance(value, bool) else str(value).strip().removeprefix("$")
    try:
        if isinstance(value, int | float | str) and _NUMBER.fullmatch(text):
            return usd(text)
    except ValueError:
        pass
    refuse(param, "a sum of dollars from 0 to 1,000,000,000,000, such as 0.0125")


def per_token(value: object, param: str) -> NanoUSD:
    """A price in dollars per million tokens, as nano-dollars per token, rounded down.

    Raises:
        InvalidValue: as `dollars`.
    """
    return NanoUSD(dollars(value, param) // _TOKENS_PER_PRICE)
