"""What the simulated upstream answers when it will not serve a request: OpenAI's own words."""

from collections.abc import Mapping
from typing import Any, NoReturn


class Refusal(Exception):
    """An error reply. `wait` is seconds until a retry makes sense."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.param = param
        self.code = code
        self.wait: float | None = None

    def document(self) -> dict[str, Any]:
        """The error envelope."""
        return envelope(self.message, self.kind, self.param, self.code)


def envelope(message: str, kind: str, param: str | None, code: str | None) -> dict[str, Any]:
    """An error as OpenAI wraps it: always these four keys."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def text_of(asked: Mapping[str, Any], param: str) -> str:
    """A parameter that must be there, and a text."""
    text = asked.get(param)
    if text is None:
        refuse_missing(param)
    if not isinstance(text, str):
        refuse_type(param, "a string", text)
    return text


def refuse_missing(param: str) -> NoReturn:
    """Refuse: a required parameter is not there."""
    message = f"Missing required parameter: '{param}'."
    raise Refusal(400, message, param=param, code="missing_required_parameter")


def refuse_type(param: str, expected: str, value: object) -> NoReturn:
    """Refuse: a parameter has the wrong JSON type."""
    message = f"Invalid type for '{param}': expected {expected}, but got {spoken(value)} instead."
    raise Refusal(400, message, param=param, code="invalid_type")


def refuse_value(param: str, message: str, code: str | None = "invalid_value") -> NoReturn:
    """Refuse: a parameter has a value it cannot have."""
    raise Refusal(400, message, param=param, code=code)


def refuse_range(param: str, value: float, bound: float, *, integer: bool) -> NoReturn:
    """Refuse: a number lies beyond a bound."""
    below = value < bound
    side, extreme, sign = ("below", "minimum", ">=") if below else ("above", "maximum", "<=")
    noun = "integer" if integer else "decimal"
    message = (
        f"Invalid '{param}': {noun} {side} {extreme} value. "
        f"Expected a value {sign} {bound}, but got {value} instead."
    )
    code = f"{noun}_{side}_{extreme[:3]}_value"
    raise Refusal(400, message, param=param, code=code)


def refuse_model(name: str) -> NoReturn:
    """Refuse: no such model."""
    message = f"The model `{name}` does not exist or you do not have access to it."
    raise Refusal(404, message, code="model_not_found")


def spoken(value: object) -> str:
    """A JSON value's type, in the words of OpenAI's messages."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    names = {str: "a string", int: "an integer", float: "a decimal", list: "an array"}
    return names.get(type(value), "an object")
