"""YAML becomes plain values with lines, within bounds, or complaints without the text."""

from pathlib import Path

import pytest

from gateway.settings.complaints import SettingsError
from gateway.settings.document import MAX_BYTES, parse, read


def refused(path: Path) -> str:
    with pytest.raises(SettingsError) as caught:
        read(path)
    return str(caught.value)


def test_values_are_plain_and_know_their_lines() -> None:
    document = parse("a:\n  b: 1\n  c: [x, 2.5]\nd: 2027-01-14\ne: off\nf:\n")

    assert document.flaws == []
    assert document.values["a"] == {"b": 1, "c": ["x", 2.5]}
    assert str(document.values["d"]) == "2027-01-14"
    assert document.values["e"] is False
    assert document.values["f"] is None
    assert document.lines["a", "b"] == 2
    assert document.lines["a", "c", 1] == 3
    assert document.lines["f",] == 6


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "null\n"])
def test_a_file_that_says_nothing_is_no_mistake(text: str) -> None:
    document = parse(text)

    assert (document.values, document.flaws) == ({}, [])


def test_a_file_that_is_no_mapping_is_refused() -> None:
    assert [f.message for f in parse("- a\n").flaws] == ["must be a mapping of settings to values"]


def test_a_name_said_twice_is_refused_with_both_lines() -> None:
    (flaw,) = parse("a:\n  b: 1\n  c: 2\n  b: 3\n").flaws

    assert (flaw.place, flaw.line) == (("a", "b"), 4)
    assert flaw.message == "is said twice (first on line 2)"


def test_anchors_aliases_and_merges_work() -> None:
    document = parse(
        "one: &one {a: 1, b: 2}\n"
        "two: {<<: *one, b: 3}\n"
        "three: {<<: [*one, {c: 4, a: 9}]}\n"
        "four: *one\n"
    )

    assert document.flaws == []
    assert document.values["two"] == {"a": 1, "b": 3}
    assert document.values["three"] == {"a": 1, "b": 2, "c": 4}
    assert document.values["four"] == {"a": 1, "b": 2}


def test_merging_what_is_no_mapping_is_refused() -> None:
    (flaw,) = parse("a: {<<: 5, b: 1}\n").flaws

    assert "no mapping" in flaw.message


def test_an_alias_bomb_is_stopped_at_once() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]

    document = parse("\n".join(lines))

    assert [f.message for f in document.flaws] == [
        "holds more, or deeper, than a configuration can"
    ]


@pytest.mark.parametrize(
    "text", ["[\n" * 5_000, "[0, " * 5 + "0, " * 21_000, "{a: " * 40 + "}" * 40]
)
def test_a_file_too_deep_or_too_long_is_stopped_before_it_is_read(text: str) -> None:
    (flaw,) = parse(text).flaws

    assert flaw.message == "holds more, or deeper, than a configuration can"
    assert flaw.line


def test_a_list_that_contains_itself_is_stopped() -> None:
    (flaw,) = parse("a: &a [*a]\n").flaws

    assert "deeper" in flaw.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: !!python/object/apply:os.system [ls]", "YAML tag"),
        ("a: !secret x", "YAML tag"),
        ("a: !!binary aGk=", "YAML tag"),
        ("a: !!int abc", "no valid number"),
        ("a: 2026-13-45", "no valid number or date"),
        ("1: x", "put it in quotes"),
        ("[a, b]: x", "put it in quotes"),
    ],
)
def test_only_plain_values_are_read(text: str, message: str) -> None:
    document = parse(f"ok: 1\n{text}\n")

    assert message in document.flaws[0].message
    assert document.flaws[0].line == 2
    assert document.values["ok"] == 1


def test_a_syntax_error_names_the_line_but_never_quotes_it(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text('catalog:\n  key: "sk-verysecret\n  base_url: x\n')

    message = refused(path)

    assert "is not valid YAML" in message
    assert f"{path}:" in message
    assert "verysecret" not in message


def test_two_documents_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("a: 1\n---\nb: 2\n")

    assert f"{path}:2: is not valid YAML" in refused(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: 1\nb: \xff\n", ":2: is not UTF-8"),
        (b"a: \x01\n", "character that YAML does not allow"),
        (b"#" * (MAX_BYTES + 1), "larger than 1 MiB"),
    ],
)
def test_what_is_no_readable_text_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes(content)

    assert message in refused(path)


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")

    assert read(path).values == {"a": 1}


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"

    assert refused(path) == f"{path}: cannot be read: No such file or directory"
