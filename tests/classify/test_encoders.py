"""The encoder in C against tiktoken: the same tokens for every text."""

import gzip
from array import array
from importlib.resources import files
from itertools import chain
from pathlib import Path
from random import Random
from types import ModuleType

import pytest
from hypothesis import given, settings, strategies as st

from gateway.classify import portable
from gateway.classify.tokens import Tokenizer
from tests.classify.letters import observed

ROOT = Path(__file__).parents[2]
# Where the rules of the pattern meet, and every class of character.
RULES = (
    "abZsß'sſK \u00a0\u0085\x1c\t\r\n/123½.,;:!?()=\"#-_éñ\u0301\u200d的人，。！？カなー한Привет"
    "😀\ud83d\ude00'lL'rRvVeEtTmMdDǅʰªºⅣ٣\u3000\u2028\U0001f468\u200d\U0001f3fb"
)
MIXED = st.text(st.one_of(st.sampled_from(RULES), st.characters()), max_size=40)
RUNS = ("a", "=", "的", " ", "ab", "é", "\n", "1", "_-", "A", "\u0301", "😀")


@pytest.fixture(scope="module")
def pair(compiled: ModuleType | None) -> tuple[Tokenizer, Tokenizer]:
    if compiled is None:
        pytest.skip("needs a C compiler and Python's headers")
    return Tokenizer(compiled.Encoder), Tokenizer(portable.Encoder)


def test_the_packaged_classes_are_those_of_the_pattern_engine() -> None:
    packed = (files("gateway.data") / "o200k_classes.gz").read_bytes()

    assert gzip.decompress(packed) == observed()


@settings(max_examples=500, deadline=None)
@given(text=MIXED)
def test_any_text_has_the_same_tokens(pair: tuple[Tokenizer, Tokenizer], text: str) -> None:
    ours, theirs = pair

    assert ours.ids(text) == theirs.ids(text)
    assert ours.count(text) == theirs.count(text)


def test_many_short_texts_where_the_rules_meet_have_the_same_tokens(
    pair: tuple[Tokenizer, Tokenizer],
) -> None:
    ours, theirs = pair
    random = Random(1)  # noqa: S311 - the same every time, not a secret
    texts = ["".join(random.choices(RULES, k=random.randint(1, 9))) for _ in range(8_000)]

    assert [t for t in texts if ours.ids(t) != theirs.ids(t)] == []


def test_long_pieces_of_few_letters_have_the_same_tokens(
    pair: tuple[Tokenizer, Tokenizer],
) -> None:
    ours, theirs = pair
    random = Random(2)  # noqa: S311 - as above
    drawn = ("".join(random.choices("abcdefgh", k=random.randint(90, 700))) for _ in range(100))
    runs = (run * times for run in RUNS for times in (1, 2, 95, 96, 97, 129, 500, 5_000))

    assert [t for t in chain(drawn, runs) if ours.ids(t) != theirs.ids(t)] == []


def test_files_of_this_project_have_the_same_tokens(pair: tuple[Tokenizer, Tokenizer]) -> None:
    ours, theirs = pair
    paths = [*ROOT.glob("docs/*.md"), *(ROOT / "gateway/classify").iterdir()]
    texts = [path.read_text() for path in paths if path.suffix in (".md", ".py", ".c")]

    assert len(texts) > 10
    assert [t[:80] for t in texts if ours.ids(t) != theirs.ids(t)] == []


def test_what_is_no_text_is_refused(compiled: ModuleType | None) -> None:
    if compiled is None:
        pytest.skip("needs a C compiler and Python's headers")
    classes = bytes(0x110000)

    with pytest.raises(TypeError, match="text"):
        compiled.Encoder(b"IQ== 0\n", classes).encode(b"bytes")
    with pytest.raises(ValueError, match="no ranks"):
        compiled.Encoder(b"\n", classes)
    with pytest.raises(ValueError, match="a class each"):
        compiled.Encoder(b"IQ== 0\n", b"")
    with pytest.raises(TypeError, match="position"):
        compiled.Encoder(ranks=b"")


@given(
    numbers=st.lists(st.integers(-(2**40), 2**40), min_size=1, max_size=20),
    places=st.lists(st.integers(-25, 25), max_size=20),
)
def test_sums_are_the_same(
    compiled: ModuleType | None, numbers: list[int], places: list[int]
) -> None:
    if compiled is None:
        pytest.skip("needs a C compiler and Python's headers")
    held = array("q", numbers)
    try:
        expected = portable.total(held, places)
    except IndexError:
        with pytest.raises(IndexError):
            compiled.total(held, places)
    else:
        assert compiled.total(held, places) == expected
