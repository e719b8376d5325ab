"""What the documents show is of this product: settings that load, targets that exist."""

import re
from pathlib import Path

import pytest

from gateway.access.token import RANDOM_BYTES, issue, spell_kept
from gateway.settings.load import load
from tests.docs.blocks import ROOT, Block, Command, blocks, commands

# What is tried elsewhere: by the proof of the compose stack, by the tests of deploy/, by `make`.
ELSEWHERE = {
    "docker": "tests/compose",
    "kubectl": "tests/deploy",
    "helm": "tests/deploy",
    "systemctl": "tests/deploy",
    "install": "tests/deploy",
    "python": "Makefile",
    "python3": "Makefile",
    "make": "Makefile",
    "claude": "tests/clients",
}
TRIED = {"tiergate", "curl"}
ISSUED, OTHER = issue(bytes(range(RANDOM_BYTES))), issue(bytes(RANDOM_BYTES))
SETTINGS = [b for b in blocks() if b.language == "yaml" and b.document != "docs/deploy.md"]


@pytest.mark.parametrize("command", commands(), ids=lambda c: f"{c.document}: {c.line}")
def test_every_command_is_tried_somewhere(command: Command) -> None:
    place = ELSEWHERE.get(command.program)
    assert place is not None or command.program in TRIED
    assert place is None or (ROOT / place).exists()


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for command in commands():
        if command.program == "make":
            assert command.line.split()[1] in targets


def test_every_link_within_the_documents_leads_somewhere() -> None:
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", path.read_text()):
            assert (path.parent / link).exists(), f"{path.name}: {link}"


@pytest.mark.parametrize("block", SETTINGS, ids=lambda b: f"{b.document} {b.number}")
def test_every_piece_of_configuration_loads(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "tiergate.yaml"
    file.write_text(block.text.replace('"…"', f'"{spell_kept(OTHER.kept)}"').replace("…", "x"))

    keys = dict.fromkeys(re.findall(r"\$\{(\w+)", block.text), "sk-of-nobody")
    keys |= {"OPENAI_API_KEY": "sk-canary", "SEARCH_KEY": ISSUED.key.reveal()}
    assert load(file, keys) is not None
