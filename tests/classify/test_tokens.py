import gzip
import hashlib
import inspect
import re
from importlib.resources import files
from types import ModuleType

import pytest
from hypothesis import given, settings, strategies as st
from tiktoken_ext import openai_public  # type: ignore[import-untyped]  # ships no types

from gateway.classify import portable, tokens
from gateway.classify.portable import PATTERN, SPECIAL_TOKENS, read_ranks
from gateway.classify.tokens import (
    CHUNK,
    LONGEST_TOKEN,
    RANKS_SHA256,
    SEAM,
    DamagedRanks,
    Tally,
    Tokenizer,
)

PROSE = "The tide comes in, and goes out again: twice a day (or so). "


@pytest.fixture(scope="module", params=["tiktoken", "compiled"])
def tokenizer(request: pytest.FixtureRequest, compiled: ModuleType | None) -> Tokenizer:
    """What is promised here is promised of both encoders."""
    if request.param == "tiktoken":
        return Tokenizer(portable.Encoder)
    if compiled is None:
        pytest.skip("needs a C compiler and Python's headers")
    return Tokenizer(compiled.Encoder)


# Where the rules of the pattern meet: blanks, contractions, marks, digits, line ends, scripts.
ADVERSARIAL = st.text(
    st.sampled_from(
        "abZsß'sſK \u00a0\u0085\x1c\t\r\n/123½.,;:!?()=\"#-_éñ\u0301\u200d"
        "的人，。！？カなー한Привет😀\ud800"
    ),
    min_size=1,
    max_size=80,
)


def test_the_ranks_pattern_and_special_tokens_are_those_of_tiktoken() -> None:
    source = inspect.getsource(openai_public.o200k_base)
    pattern = "|".join(re.findall(r'r"""(.*?)"""', source))
    specials = {
        openai_public.ENDOFTEXT: int(re.findall(r"ENDOFTEXT: (\d+)", source)[0]),
        openai_public.ENDOFPROMPT: int(re.findall(r"ENDOFPROMPT: (\d+)", source)[0]),
    }

    assert f'expected_hash="{RANKS_SHA256}"' in source
    assert pattern == PATTERN
    assert specials == SPECIAL_TOKENS


def test_every_rank_is_the_number_of_its_line_and_none_is_longer_than_the_bound() -> None:
    packed = (files("gateway.data") / "o200k_base.tiktoken.gz").read_bytes()
    lines = gzip.decompress(packed)
    ranks = read_ranks(tokens._ranks(packed))

    assert hashlib.sha256(lines).hexdigest() == RANKS_SHA256
    assert [int(line.split()[1]) for line in lines.splitlines()] == list(ranks.values())
    assert max(map(len, ranks)) == LONGEST_TOKEN


def test_the_packed_ranks_carry_no_time_so_that_builds_are_reproducible() -> None:
    packed = (files("gateway.data") / "o200k_base.tiktoken.gz").read_bytes()

    assert packed[4:8] == bytes(4)


def test_damaged_ranks_are_refused() -> None:
    with pytest.raises(DamagedRanks, match="install the package again"):
        tokens._ranks(gzip.compress(b"IQ== 0\n"))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("hello world", 2),
        ("antidisestablishmentarianism", 6),
        ("2 + 2 = 4", 7),
        ("お誕生日おめでとう", 8),
    ],
)
def test_counts_known_from_the_cookbook(tokenizer: Tokenizer, text: str, count: int) -> None:
    assert tokenizer.count(text) == count
    assert len(tokenizer.ids(text)) == count


def test_special_tokens_in_a_prompt_are_only_text(tokenizer: Tokenizer) -> None:
    assert tokenizer.ids("<|endoftext|>") == [27, 91, 419, 1440, 919, 91, 29]


def test_lone_surrogates_are_counted(tokenizer: Tokenizer) -> None:
    assert tokenizer.tally("half an emoji \ud83d here").exact
    assert tokenizer.count("\ud83d\ude00") == tokenizer.count("😀")


@settings(max_examples=400, deadline=None)
@given(text=ADVERSARIAL)
def test_no_token_reaches_over_a_cut(tokenizer: Tokenizer, text: str) -> None:
    whole = tokenizer.ids(text)

    for found in tokens._CUT.finditer(text):
        left, right = text[: found.start()], text[found.start() :]
        assert tokenizer.ids(left) + tokenizer.ids(right) == whole


@pytest.mark.parametrize(
    "text",
    [
        PROSE * 4_000,
        "潮汐是由月球的引力引起的，每天两次。为什么？\n" * 6_000,
        "QmFzZTY0IGhhcyBubyBibGFua3M5" * 6_000,
        "if(a==b){c();}\n" * 9_000,
    ],
    ids=["prose", "chinese", "base64", "packed code"],
)
def test_a_long_text_is_counted_exactly_in_pieces(tokenizer: Tokenizer, text: str) -> None:
    pieces = list(tokenizer.chunks(text))
    # One piece is what the pieces are compared with; it is short enough for the pattern engine.
    whole = len(tokenizer._encode(text))

    assert "".join(pieces) == text
    assert len(pieces) > 1
    assert max(map(len, pieces)) <= CHUNK
    assert tokenizer.tally(text) == Tally(whole, exact=True)
    assert sum(map(tokenizer.count, pieces)) == whole
    assert len(tokenizer.ids(text)) == whole


@pytest.mark.parametrize(
    "run", [" ", "\n", "\t \n", "a", "=", "1", "的", "\ud800", "\x1c"], ids=ascii
)
def test_a_run_without_a_cut_survives_as_a_flagged_upper_bound(
    tokenizer: Tokenizer, run: str
) -> None:
    length = 400_000 // len(run)
    whole = len(tokenizer._encode(run * length))

    tally = tokenizer.tally(run * length)

    assert not tally.exact
    assert whole <= tally.tokens <= whole + 7 * (SEAM + 4)


def test_a_million_blanks_do_not_panic(tokenizer: Tokenizer) -> None:
    tally = tokenizer.tally(" " * 1_100_000)

    assert not tally.exact
    assert tally.tokens >= 1_100_000 / LONGEST_TOKEN


def test_a_cut_far_from_the_end_of_a_chunk_is_found(tokenizer: Tokenizer) -> None:
    text = "a b" + "c" * (CHUNK + 5)

    assert [len(piece) for piece in tokenizer.chunks(text)] == [1, CHUNK, 7]


def test_counting_stops_above_a_limit(tokenizer: Tokenizer) -> None:
    text = PROSE * 20_000
    whole = tokenizer.count(text)

    assert 100 < tokenizer.count_bounded(text, 100) < whole / 5
    assert tokenizer.count_bounded(text, whole) == whole
    assert tokenizer.count_bounded("", 0) == 0
    assert tokenizer.count_bounded("a" * (CHUNK + 1), 10**9) > SEAM


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=300))
def test_bytes_bound_tokens(tokenizer: Tokenizer, text: str) -> None:
    low, high = tokenizer.bounds(len(text.encode()))

    assert low <= tokenizer.count(text) <= high


def test_bounds_round_towards_the_safe_side(tokenizer: Tokenizer) -> None:
    assert tokenizer.bounds(0) == (0, 0)
    assert tokenizer.bounds(1) == (1, 1)
    assert tokenizer.bounds(129) == (2, 129)
