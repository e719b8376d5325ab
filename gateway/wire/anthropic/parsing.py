"""Readers of untrusted JSON that refuse by name, and the one way to write JSON."""

import json
from collections.abc import Mapping
from typing import Any, NoReturn

import orjson

from gateway.errors import InvalidValue


def refuse(param: str, message: str) -> NoReturn:
    """Refuse a request for one of its members.

    Raises:
        InvalidValue: always.
    """
    said = f"{param}: {message}"
    raise InvalidValue(said, param=param)


def text(value: object, param: str) -> str:
    """A text.

    Raises:
        InvalidValue: anything else.
    """
    if not isinstance(value, str):
        refuse(param, "Input should be a valid string")
    return value


def listed(value: object, param: str) -> list[Any]:
    """A list.

    Raises:
        InvalidValue: anything else.
    """
    if not isinstance(value, list):
        refuse(param, "Input should be a valid list")
    return value


def mapping(value: object, param: str) -> Mapping[str, Any]:
    """An object.

    Raises:
        InvalidValue: anything else.
    """
    if not isinstance(value, dict):
        refuse(param, "Input should be an object")
    return value


def switch(value: object, param: str) -> bool:
    """True, or false when it is not said.

    Raises:
        InvalidValue: anything else.
    """
    if value is not None and not isinstance(value, bool):
        refuse(param, "Input should be a valid boolean")
    return value is True


def share(value: object, param: str) -> float:
    """A number from 0 to 1, as it was written.

    Raises:
        InvalidValue: anything else.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        refuse(param, "Input should be a number from 0 to 1")
    return value


def dumps(document: object) -> bytes:
    """Write JSON; half a surrogate pair, which orjson refuses, is escaped."""
    try:
        return orjson.dumps(document)
    except orjson.JSONEncodeError:
        return json.dumps(document, separators=(",", ":")).encode()
