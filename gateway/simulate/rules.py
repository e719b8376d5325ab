"""The faults asked for over HTTP: which call each strikes (`faults` says what they do)."""

from dataclasses import dataclass
from random import Random
from typing import Any

from gateway.simulate import refusals
from gateway.simulate.faults import KINDS, Fault, parse


@dataclass(slots=True)
class Rule:
    """A fault for the next `next` calls, or for a share of all (`rate`), of one model or any."""

    fault: Fault
    kind: str
    model: str | None
    next: int
    rate: float

    def strikes(self, model: str, dice: Random) -> bool:
        """Whether it strikes this call; counts it if so."""
        if self.model not in (None, model):
            return False
        if self.rate:
            return dice.random() < self.rate
        self.next -= 1
        return True


class Rules:
    """The faults asked for over HTTP; the first rule that strikes wins."""

    __slots__ = ("_dice", "_rules")

    def __init__(self, dice: Random) -> None:
        self._dice = dice
        self._rules: list[Rule] = []

    def add(self, document: object) -> None:
        """Add the rule a control body describes.

        Raises:
            Refusal: when it describes none.
        """
        if not isinstance(document, dict):
            refusals.refuse_type("body", "an object", document)
        kind, model = document.get("kind"), document.get("model")
        fault = parse(kind) if isinstance(kind, str) else None
        if fault is None or not isinstance(kind, str):
            message = f"Invalid value for 'kind'. Supported kinds are: {', '.join(KINDS)}."
            refusals.refuse_value("kind", message)
        if model is not None and not isinstance(model, str):
            refusals.refuse_type("model", "a string", model)
        count, rate = document.get("next", 0), document.get("rate", 0)
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            refusals.refuse_value("next", "Expected a whole number of calls.")
        if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate <= 1:
            refusals.refuse_value("rate", "Expected a share from 0 to 1.")
        if bool(count) == bool(rate):
            refusals.refuse_value("next", "Give 'next' or 'rate', one of them.")
        self._rules.append(Rule(fault, kind, model, count, rate))

    def lift(self) -> None:
        """Forget every rule."""
        self._rules.clear()

    def strike(self, model: str) -> Fault | None:
        """The fault for a call of this model, if one is due."""
        for rule in self._rules:
            if rule.strikes(model, self._dice):
                self._rules = [each for each in self._rules if each.next > 0 or each.rate]
                return rule.fault
        return None

    def document(self) -> dict[str, Any]:
        """The rules that stand."""
        data = [
            {"kind": rule.kind, "model": rule.model, "next": rule.next, "rate": rule.rate}
            for rule in self._rules
        ]
        return {"object": "list", "data": data}
