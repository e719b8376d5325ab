"""References to the environment are filled as text, once, or complained of."""

import pytest
from hypothesis import given, strategies as st

from gateway.settings.document import parse
from gateway.settings.interpolate import Unfilled, fill, interpolate

ENVIRON = {"NAME": "value", "EMPTY": "", "YAML": "x\ninjected: true", "NESTED": "${NAME}"}


@pytest.mark.parametrize(
    ("written", "filled"),
    [
        ("${NAME}", "value"),
        ("a-${NAME}-b-${NAME}", "a-value-b-value"),
        ("${EMPTY}", ""),
        ("${NONE:-other}", "other"),
        ("${EMPTY:-other}", "other"),
        ("${NAME:-other}", "value"),
        ("${NONE:-}", ""),
        ("${NONE:-a:-b $x}", "a:-b $x"),
        ("$NAME $ {", "$NAME $ {"),
        ("$${NAME}", "${NAME}"),
        ("${NESTED}", "${NAME}"),
    ],
)
def test_a_reference_is_filled(written: str, filled: str) -> None:
    assert fill(written, ENVIRON) == filled


@pytest.mark.parametrize("written", ["${", "${NAME", "${}", "${1A}", "${A-b}", "${A B}", "${:-x}"])
def test_a_malformed_reference_is_refused(written: str) -> None:
    with pytest.raises(Unfilled, match="malformed"):
        fill(written, ENVIRON)


def test_a_missing_variable_is_named_and_its_setting_left_out() -> None:
    document = parse("a: ${NONE}\nb: [x, '${NONE}', y]\nc: ${NAME}\nd: 5\n")

    interpolate(document, ENVIRON)

    assert document.values == {"b": ["x", None, "y"], "c": "value", "d": 5}
    assert [f.place for f in document.flaws] == [("a",), ("b", 1)]
    assert "NONE, which is not set" in document.flaws[0].message


def test_a_variable_cannot_change_the_structure() -> None:
    document = parse("a: ${YAML}\n")

    interpolate(document, ENVIRON)

    assert document.values == {"a": "x\ninjected: true"}


@given(st.text())
def test_text_without_a_reference_is_left_alone(text: str) -> None:
    if "${" not in text:
        assert fill(text, {}) == text
