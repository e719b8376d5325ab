"""The fenced blocks of the documents, and the commands in them."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
ASSIGNMENT = re.compile(r"^\w+=\S* ")


class Block(NamedTuple):
    """A fenced block: where it stands and as which, the language it says it is in, its text."""

    document: str
    number: int
    language: str
    text: str


class Command(NamedTuple):
    """A command line of a document, without its prompt and its comment."""

    document: str
    line: str

    @property
    def program(self) -> str:
        """What it starts."""
        line = self.line
        while said := ASSIGNMENT.match(line):
            line = line[said.end() :]
        return line.split()[0]


def documents() -> list[Path]:
    """Every document users read."""
    named = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
    return [*named, *sorted((ROOT / "docs").glob("*.md"))]


def blocks() -> list[Block]:
    """Every fenced block, without the indentation it shares."""
    found = []
    for path in documents():
        for number, (indent, language, text) in enumerate(FENCE.findall(path.read_text())):
            lines = [line.removeprefix(indent) for line in text.splitlines()]
            found.append(Block(str(path.relative_to(ROOT)), number, language, "\n".join(lines)))
    return found


def commands() -> list[Command]:
    """Every command line; where a block shows prompts, what has none is output."""
    found = []
    for block in blocks():
        if block.language not in ("", "sh", "bash", "console"):
            continue
        joined = block.text.replace("\\\n", " ").splitlines()
        prompted = [line[2:] for line in joined if line.startswith("$ ")]
        for line in prompted or joined:
            command = re.sub(r"\s+# .*$", "", line).strip()
            if command and not command.startswith("#"):
                found.append(Command(block.document, command))
    return found
