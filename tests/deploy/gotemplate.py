"""Renders the chart's templates: the part of Go's template language and Helm's functions they use.

Refuses everything else: a chart of this size should not need more. Helm itself is a program that
Python's package index does not have.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

Env = dict[str, Any]
TAG = re.compile(r"(\s*)\{\{(-\s)?\s*(.*?)\s*(\s-)?\}\}(\s*)", re.DOTALL)
WORD = re.compile(r'"(?:[^"\\]|\\.)*"|:=|[(),|]|[^\s(),|"]+')


class TemplateError(ValueError):
    """The template says something this renderer does not know."""


@dataclass
class Node:
    """A piece of a template: text, an action's words, or a block with what is inside."""

    kind: str
    words: list[str] = field(default_factory=list)
    text: str = ""
    inside: list["Node"] = field(default_factory=list)


def parsed(source: str) -> list[Node]:
    """A template as a tree.

    Raises:
        TemplateError: a block is not closed, or closed twice.
    """
    root = Node("root")
    stack = [root]
    for node in _pieces(source):
        head = node.words[0] if node.words else ""
        if head == "end":
            if len(stack) == 1:
                raise TemplateError("an end without a block")
            stack.pop()
            continue
        stack[-1].inside.append(node)
        if head in {"if", "with", "range", "define"}:
            node.kind = head
            stack.append(node)
    if len(stack) > 1:
        raise TemplateError(f"not closed: {stack[-1].words}")
    return root.inside


def _pieces(source: str) -> Iterator[Node]:
    place = 0
    for tag in TAG.finditer(source):
        before, after = tag[1], tag[5]
        yield Node("text", text=source[place : tag.start()] + ("" if tag[2] else before))
        if not tag[3].startswith("/*"):
            yield Node("action", words=WORD.findall(tag[3]))
        yield Node("text", text="" if tag[4] else after)
        place = tag.end()
    yield Node("text", text=source[place:])


class Chart:
    """Templates with the functions they call; `files` are those `.Files.Get` finds."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._named: dict[str, list[Node]] = {}
        self._files = files

    def define(self, source: str) -> None:
        """Take in the named templates of a file."""
        for node in parsed(source):
            if node.kind == "define":
                self._named[_text(node.words[1])] = node.inside

    def render(self, source: str, top: Any) -> str:
        """A file's text with `top` as its dot."""
        return self._nodes(parsed(source), top, {"$": top})

    def _nodes(self, nodes: Sequence[Node], dot: Any, env: Env) -> str:
        return "".join(self._node(node, dot, env) for node in nodes)

    def _node(self, node: Node, dot: Any, env: Env) -> str:
        match node.kind:
            case "text":
                return node.text
            case "action":
                return _spelled(self._pipeline(node.words, dot, env))
            case "if":
                held = self._pipeline(node.words[1:], dot, env)
                return self._nodes(node.inside, dot, env) if held else ""
            case "with":
                held = self._pipeline(node.words[1:], dot, env)
                return self._nodes(node.inside, held, env) if held else ""
            case "range":
                return self._range(node, dot, env)
        return ""

    def _range(self, node: Node, dot: Any, env: Env) -> str:
        words, names = node.words[1:], list[str]()
        if ":=" in words:
            names = [word for word in words[: words.index(":=")] if word != ","]
            words = words[words.index(":=") + 1 :]
        found = self._pipeline(words, dot, env)
        rows = sorted(found.items()) if isinstance(found, Mapping) else list(enumerate(found or ()))
        done = []
        for key, value in rows:
            inner = dict(env, **dict(zip(names[::-1], (value, key), strict=False)))
            done.append(self._nodes(node.inside, value, inner))
        return "".join(done)

    def _pipeline(self, words: Sequence[str], dot: Any, env: Env) -> Any:
        """The value of `a b | c d`: each part's value is the last argument of the next."""
        given: list[Any] = []
        for part in _split(words):
            given = [self._call(part, given, dot, env)]
        return given[0]

    def _call(self, words: Sequence[str], given: list[Any], dot: Any, env: Env) -> Any:
        arguments = [self._argument(term, dot, env) for term in _terms(words[1:])] + given
        head = words[0]
        if head in FUNCTIONS:
            return FUNCTIONS[head](*arguments)
        if head == "include":
            name, inner = arguments
            return self._nodes(self._named[name], inner, {"$": inner})
        if head.endswith(".Files.Get"):
            return self._files[arguments[0]]
        if arguments:
            raise TemplateError(f"no function: {head}")
        return self._argument([head], dot, env)

    def _argument(self, term: Sequence[str], dot: Any, env: Env) -> Any:
        if len(term) > 1:
            return self._pipeline(term, dot, env)
        word = term[0]
        if word.startswith('"'):
            return _text(word)
        if word.isdecimal():
            return int(word)
        if word.startswith((".", "$")):
            return _reached(word, dot, env)
        raise TemplateError(f"no value: {word}")


def _split(words: Sequence[str]) -> Iterator[list[str]]:
    """The parts of a pipeline, those in brackets left whole."""
    part: list[str] = []
    depth = 0
    for word in words:
        depth += (word == "(") - (word == ")")
        if word == "|" and not depth:
            yield part
            part = []
        else:
            part.append(word)
    yield part


def _terms(words: Sequence[str]) -> Iterator[list[str]]:
    """Arguments: single words, and what is in brackets."""
    inner: list[str] = []
    depth = 0
    for word in words:
        if word == ")":
            depth -= 1
            if not depth:
                yield inner
                inner = []
                continue
        if depth:
            inner.append(word)
        elif word != "(":
            yield [word]
        depth += word == "("
    if depth:
        raise TemplateError("a bracket is not closed")


def _reached(word: str, dot: Any, env: Env) -> Any:
    """`.a.b`, `$.a`, `$name.a`; what is not there is nothing."""
    root, *steps = word.split(".")
    value = env[root] if root else dot
    for step in steps:
        if step:
            value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _text(word: str) -> str:
    return word[1:-1].replace('\\"', '"')


def _spelled(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _to_yaml(value: Any) -> str:
    return yaml.safe_dump(value, default_flow_style=False, width=1000).rstrip("\n")


def _indent(count: int, text: str) -> str:
    return "\n".join(" " * count + line for line in text.split("\n"))


def _trunc(count: int, text: str) -> str:
    return text[:count]


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "toYaml": _to_yaml,
    "indent": _indent,
    "nindent": lambda count, text: "\n" + _indent(count, text),
    "quote": lambda value: '"' + _spelled(value).replace("\\", "\\\\").replace('"', '\\"') + '"',
    "default": lambda otherwise, value: value or otherwise,
    "trunc": _trunc,
    "trimSuffix": lambda end, text: text.removesuffix(end),
    "sha256sum": lambda text: hashlib.sha256(text.encode()).hexdigest(),
    "not": lambda value: not value,
    "list": lambda *values: list(values),
    "printf": lambda form, *values: form % values,
}
