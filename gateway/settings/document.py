"""Reads a YAML file into plain values, remembering the line of each.

Only plain data: no tags, no Python objects. Duplicate names are refused, because YAML would keep
the last one silently; anchors and merges work, but the whole may not grow past a bound (an alias
bomb is a few hundred bytes), and no file is larger than `MAX_BYTES`.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from gateway.settings.complaints import Complaint, Flaw, Place, SettingsError

MAX_BYTES = 2**20
# Far more than any configuration holds; a bomb of aliases holds billions.
MAX_VALUES = 20_000
# Deeper than any setting lies; also what a list that contains itself runs into.
MAX_DEPTH = 32
TOO_MUCH = "holds more, or deeper, than a configuration can"

TEXT = "tag:yaml.org,2002:str"
MERGE = "tag:yaml.org,2002:merge"
PLAIN = frozenset(
    {TEXT, "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}
    | {f"tag:yaml.org,2002:{kind}" for kind in ("int", "float", "bool", "null", "timestamp")}
)


@dataclass(slots=True)
class Document:
    """Values as plain Python data, the line of each place, and what is wrong so far."""

    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[Place, int] = field(default_factory=dict)
    flaws: list[Flaw] = field(default_factory=list)


def read(path: Path) -> Document:
    """Read a file.

    Raises:
        SettingsError: it cannot be read at all, or is no YAML.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise _unreadable(path, f"is larger than {MAX_BYTES // 2**20} MiB")
        return parse(content.decode("utf-8-sig"))
    except OSError as error:
        raise _unreadable(path, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _unreadable(path, "is not UTF-8 text", line) from None
    except yaml.MarkedYAMLError as error:
        # The problem alone: pyyaml's full text quotes the line, and the line may hold a key.
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise _unreadable(path, f"is not valid YAML: {error.problem}", line) from None
    except yaml.YAMLError:
        raise _unreadable(path, "contains a character that YAML does not allow") from None


def _unreadable(path: Path, message: str, line: int = 0) -> SettingsError:
    return SettingsError([Complaint(line, "", message)], str(path))


def parse(text: str) -> Document:
    """Read YAML text."""
    reader = _Reader(Document())
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
    except _TooMuch:
        line = loader.get_mark().line + 1
        reader.document.flaws.append(Flaw((), TOO_MUCH, line))
        return reader.document
    finally:
        loader.dispose()
    if node is None:
        return reader.document
    values = reader.value(node, ())
    if isinstance(values, dict):
        reader.document.values = values
    elif values is not None:
        message = "must be a mapping of settings to values"
        reader.document.flaws.append(Flaw((), message, node.start_mark.line + 1))
    return reader.document


class _TooMuch(Exception):
    """The text holds more than it may; reading on would only take time."""


class _Loader(yaml.SafeLoader):
    """Composes nodes, and stops at the bounds before a hostile file costs seconds."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._nodes = self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._nodes += 1
        self._depth += 1
        if self._nodes > MAX_VALUES or self._depth > MAX_DEPTH:
            raise _TooMuch
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


class _Reader:
    """Walks composed nodes once; aliases are walked again each time, within the bound."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.left = MAX_VALUES
        self.overflowed = False
        self._scalars = yaml.constructor.SafeConstructor()

    def value(self, node: yaml.Node, place: Place) -> Any:  # noqa: ANN401 - any YAML value
        self.left -= 1
        if self.left < 0 or len(place) > MAX_DEPTH:
            if not self.overflowed:
                self._flaw(place, node, TOO_MUCH)
            self.overflowed = True
            return None
        if node.tag not in PLAIN:
            self._flaw(place, node, "carries a YAML tag; only plain values are read")
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self._item(item, (*place, i)) for i, item in enumerate(node.value)]
        return self._scalar(node, place)

    def _item(self, node: yaml.Node, place: Place) -> Any:  # noqa: ANN401 - any YAML value
        self.document.lines[place] = node.start_mark.line + 1
        return self.value(node, place)

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for key, value in node.value:
            if key.tag == MERGE:
                merged = self._merged(value, place) | merged
        own: dict[str, Any] = {}
        for key, value in node.value:
            if key.tag == MERGE:
                continue
            if not isinstance(key, yaml.ScalarNode) or key.tag != TEXT:
                self._flaw(place, key, "has a name that is no text: put it in quotes")
            elif key.value in own:
                first = self.document.lines[*place, key.value]
                self._flaw((*place, key.value), key, f"is said twice (first on line {first})")
            else:
                self.document.lines[*place, key.value] = key.start_mark.line + 1
                own[key.value] = self.value(value, (*place, key.value))
        return merged | own

    def _merged(self, node: yaml.Node, place: Place) -> dict[str, Any]:
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        merged: dict[str, Any] = {}
        for source in sources:
            values = self.value(source, place)
            if isinstance(values, dict):
                merged = values | merged
            else:
                self._flaw(place, source, "merges something that is no mapping")
        return merged

    def _scalar(self, node: yaml.Node, place: Place) -> Any:  # noqa: ANN401 - any YAML value
        try:
            return self._scalars.construct_object(node)
        except (ValueError, yaml.YAMLError):
            self._flaw(place, node, "is no valid number or date")
            return None

    def _flaw(self, place: Place, node: yaml.Node, message: str) -> None:
        self.document.flaws.append(Flaw(place, message, node.start_mark.line + 1))
