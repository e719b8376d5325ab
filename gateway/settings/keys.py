"""Credentials checked at start, so that a bad one fails here and not at the first call.

Refuses what cannot be a key: empty, wrapped in quotes, with spaces, line breaks or characters
outside ASCII, or a placeholder somebody forgot to replace. Messages never quote it.
"""

import re
from collections.abc import Callable
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from gateway.catalog import Secret

PLACEHOLDER_WORDS = frozenset(
    {"your", "yours", "changeme", "change", "placeholder", "example", "replace", "replaceme"}
    | {"insert", "todo", "redacted", "fixme"}
)
# What examples write instead of a key: `sk-…`, `sk-xxxx`, `****`, `<key>`, `{{key}}`, `$KEY`.
PLACEHOLDER = re.compile(r"(?:[a-z]{2,4}-)?(?:proj-)?(?:x{3,}|\*+|\.{2,}|0+|…)|.*[<>{}].*|\$\w+")
# Digits belong to a word: a random key must not be cut into words by chance.
WORD = re.compile(r"[a-z0-9]+")
# Longer than any token a provider issues; a file's content is longer.
MAX_LENGTH = 4096
QUOTES = "'\""


def ill(text: str) -> str:
    """Say what is wrong with a credential, or nothing."""
    for wrong, message in CHECKS:
        if wrong(text):
            return message
    return ""


def looks_like_a_placeholder(text: str) -> bool:
    """Whether a text stands where a key should be put."""
    low = text.lower()
    return bool(PLACEHOLDER.fullmatch(low)) or not PLACEHOLDER_WORDS.isdisjoint(WORD.findall(low))


# In order: the first that applies is said.
CHECKS: tuple[tuple[Callable[[str], bool], str], ...] = (
    (lambda text: not text, "is empty"),
    (lambda text: len(text) > MAX_LENGTH, "is too long for a key"),
    (
        lambda text: any(char.isspace() for char in text),
        "contains a space or line break: copy the key alone, without a newline at its end",
    ),
    (
        lambda text: not (text.isascii() and text.isprintable()),
        "contains characters that no key has: type it again instead of pasting it",
    ),
    (
        lambda text: text[0] in QUOTES or text[-1] in QUOTES,
        "is wrapped in quotes that became part of it: remove them",
    ),
    (looks_like_a_placeholder, "looks like a placeholder: put the real key there"),
)


def key(value: object) -> Secret:
    """Read a credential."""
    if isinstance(value, Secret):
        return value
    if not isinstance(value, str):
        message = "must be text such as ${OPENAI_API_KEY}"
        raise ValueError(message)  # noqa: TRY004 - pydantic turns only ValueError into a complaint
    if problem := ill(value):
        raise ValueError(problem)
    return Secret(value)


def header_value(value: object) -> Secret:
    """Read a header's value, which may be a credential."""
    if isinstance(value, Secret):
        return value
    text = value.strip() if isinstance(value, str) else ""
    if not (text and text.isascii() and text.isprintable() and len(text) <= MAX_LENGTH):
        message = "must be text of printable ASCII characters"
        raise ValueError(message)
    return Secret(text)


HeaderValue = Annotated[
    Secret,
    PlainValidator(header_value),
    PlainSerializer(lambda _: "***", return_type=str),
    WithJsonSchema({"type": "string", "minLength": 1, "x-kind": "secret"}),
]
Key = Annotated[
    Secret,
    PlainValidator(key),
    PlainSerializer(lambda _: "***", return_type=str),
    WithJsonSchema({"type": "string", "minLength": 1, "writeOnly": True, "x-kind": "secret"}),
]
