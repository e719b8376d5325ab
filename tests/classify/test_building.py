"""Building the compiled part: any compiler, any trouble, and never a failed installation."""

import importlib.util
import sys
import sysconfig
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NAME = f"_swift{sysconfig.get_config_var('EXT_SUFFIX')}"


class Hook:
    """As much of hatchling's hook as ours leans on: it is not installed where tests run."""

    def __class_getitem__(cls, _item: object) -> type["Hook"]:
        return cls

    def __init__(self, root: Path) -> None:
        self.root = str(root)
        self.target_name = "wheel"
        self.app = self
        self.warnings: list[str] = []

    def display_warning(self, text: str) -> None:
        self.warnings.append(text)


@pytest.fixture
def building(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    path = "hatchling.builders.hooks.plugin.interface"
    interface = ModuleType(path)
    interface.BuildHookInterface = Hook  # type: ignore[attr-defined]  # stands for hatchling's
    monkeypatch.setitem(sys.modules, path, interface)
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    room = tmp_path / "tree/gateway/classify"
    room.mkdir(parents=True)
    (room / "_swift.c").write_text("int x;")
    return tmp_path / "tree"


def compiler(place: Path, *lines: str) -> str:
    """A command that stands for a compiler; its last argument is the file to make."""
    script = place / "our cc"
    script.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    script.chmod(0o755)
    return f"'{script}' -std=c11"


def build(building: ModuleType, tree: Path, version: str) -> tuple[Any, dict[str, Any]]:
    hook = building.Compiled(tree)
    data: dict[str, Any] = {"force_include": {}}
    hook.initialize(version, data)
    return hook, data


WORKS = ("for last; do :; done", 'test "$1" = -std=c11 && echo made > "$last"')


def test_a_wheel_takes_what_the_named_compiler_made_and_leaves_the_tree_alone(
    building: ModuleType, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", compiler(tmp_path, *WORKS))
    before = sorted(tree.rglob("*"))

    hook, data = build(building, tree, "standard")

    ((made, where),) = data["force_include"].items()
    assert where == f"gateway/classify/{NAME}"
    assert Path(made).read_text() == "made\n"
    assert (data["pure_python"], data["infer_tag"], hook.warnings) == (False, True, [])
    assert sorted(tree.rglob("*")) == before
    hook.finalize("standard", data, "x.whl")
    assert not Path(made).parent.exists()


def test_an_editable_installation_has_it_in_place(
    building: ModuleType, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", compiler(tmp_path, *WORKS))

    hook, data = build(building, tree, "editable")

    assert (tree / "gateway/classify" / NAME).read_text() == "made\n"
    assert (data["force_include"], hook.warnings) == ({}, [])


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (("echo 'x.c:1: no such thing' >&2", "exit 1"), "x.c:1: no such thing"),
        (("exit 3",), "exit status 3"),
        (("kill -9 $$",), "SIGKILL"),
        (("exit 0",), "made nothing"),
    ],
)
def test_a_compiler_that_fails_is_told_and_the_rest_installed(
    building: ModuleType,
    tree: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    lines: tuple[str, ...],
    says: str,
) -> None:
    monkeypatch.setenv("CC", compiler(tmp_path, *lines))

    hook, data = build(building, tree, "standard")

    assert data == {"force_include": {}}
    assert "Python does its work" in hook.warnings[0]
    assert says in hook.warnings[0]


@pytest.mark.parametrize(("cc", "says"), [("no-such-cc -x", "not found"), ("'", "no command")])
def test_a_compiler_that_is_none_is_told(
    building: ModuleType, tree: Path, monkeypatch: pytest.MonkeyPatch, cc: str, says: str
) -> None:
    monkeypatch.setenv("CC", cc)

    hook, _ = build(building, tree, "standard")

    assert says in hook.warnings[0]


def test_an_editable_tree_that_takes_nothing_is_told(
    building: ModuleType, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", compiler(tmp_path, *WORKS))
    (tree / "gateway/classify" / f"{NAME}.part").mkdir()

    hook, _ = build(building, tree, "editable")

    assert "cannot be put into" in hook.warnings[0]


def test_whoever_wants_none_gets_none(
    building: ModuleType, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIERGATE_PURE", "1")

    hook, data = build(building, tree, "standard")

    assert (hook.warnings, data) == ([], {"force_include": {}})
