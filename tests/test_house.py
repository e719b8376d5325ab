"""The shape of the code, kept by a test. No exceptions list: a rule with exceptions is a wish."""

import ast
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "gateway").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

MAX_MODULE_LINES = 300
MAX_FUNCTION_LINES = 50
NAMES_THAT_SAY_NOTHING = {"base", "common", "core", "helpers", "manager", "misc", "util", "utils"}
README_WORDS = 600
AT_THE_TOP = {
    *(".ci", ".dockerignore", ".env.example", ".gitignore", "Dockerfile", "Makefile"),
    *("ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "README.md", "SECURITY.md"),
    *("LICENSE", "NOTICE", "deploy", "docs", "gateway", "tests", "docker-compose.yml"),
    *("hatch_build.py", "pyproject.toml"),
    *("requirements-build.lock", "requirements-dev.lock", "requirements.lock"),
}


def functions(module: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def long_functions(module: Path) -> dict[str, int]:
    lengths = {f.name: (f.end_lineno or 0) - f.lineno + 1 for f in functions(module)}
    return {name: lines for name, lines in lengths.items() if lines > MAX_FUNCTION_LINES}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_can_be_read_in_one_sitting(module: Path) -> None:
    assert module.read_text().count("\n") <= MAX_MODULE_LINES
    assert long_functions(module) == {}


@pytest.mark.parametrize("module", TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_tests_can_be_read_in_one_sitting(module: Path) -> None:
    assert module.read_text().count("\n") <= MAX_MODULE_LINES


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_what_it_is_for(module: Path) -> None:
    assert ast.get_docstring(ast.parse(module.read_text()))


@pytest.mark.parametrize("module", MODULES + TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_name_says_something(module: Path) -> None:
    assert module.stem not in NAMES_THAT_SAY_NOTHING


def test_tests_use_no_mocks() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in TESTS
        for line in path.read_text().splitlines()
        if line.strip().startswith(("import ", "from ")) and "mock" in line
    ]

    assert found == []


def test_the_readme_is_one_screen() -> None:
    assert len((ROOT / "README.md").read_text().split()) <= README_WORDS


def test_nothing_was_left_lying_at_the_top() -> None:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("this is no checkout")
    asked = [git, "ls-tree", "--name-only", "HEAD"]
    told = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own question
    if told.returncode:
        pytest.skip(told.stderr)

    assert set(told.stdout.split()) == AT_THE_TOP
