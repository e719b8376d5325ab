"""The learned model: what it promises whatever it is given, and that it tells easy from hard."""

from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from gateway.classify.difficulty import (
    ARTEFACT,
    HEAD,
    MOST_TOKENS,
    TAIL,
    DamagedModel,
    Difficulty,
    Scale,
    excerpt,
    logistic,
    pack,
    stretch,
    unpack,
)
from gateway.classify.tokens import Tokenizer

SCALE = Scale(
    gain_step=0.01,
    full_step=0.02,
    lean=2.0,
    lean_gain=-1.0,
    lean_full=1.0,
    gain_most=0.5,
    gain_offset=-0.5,
    stretch=0.1,
    gain_slope=2.0,
    full_offset=0.5,
    full_slope=1.0,
    mini_share=0.75,
)

Triple = tuple[float, float, float]
Estimate = Callable[[str], Triple]


@pytest.fixture(scope="module")
def packaged() -> Difficulty:
    return Difficulty.load()


@pytest.fixture(scope="module")
def estimate(packaged: Difficulty) -> Estimate:
    tokenizer = Tokenizer()
    return lambda text: packaged.estimate(tokenizer.ids(text), text)


@pytest.fixture(scope="module")
def gain(estimate: Estimate) -> Callable[[str], float]:
    def of(text: str) -> float:
        nano, _, full = estimate(text)
        return full - nano

    return of


def artefact() -> bytes:
    return (files("gateway.data") / ARTEFACT).read_bytes()


def is_fair(triple: Triple) -> bool:
    return 0.0 <= triple[0] <= triple[1] <= triple[2] <= 1.0


def test_the_sums_are_those_of_plain_arithmetic() -> None:
    gains, fulls = np.array([100, -50, 7], np.int16), np.array([-30, 20, 32_767], np.int16)
    ids = [0, 1, 1, 2]

    nano, mini, full = Difficulty(gains, fulls, SCALE).estimate(ids, "")

    mean_gain = (sum(int(gains[i]) for i in ids) * 0.01 - 1.0) / 6
    mean_full = (sum(int(fulls[i]) for i in ids) * 0.02 + 1.0) / 6
    # Four tokens count as `BRIEF`: length moves the mean by a tenth of this logarithm.
    mean_gain += 0.1 * stretch(4)
    lost = 0.5 * logistic(-0.5 + 2 * mean_gain)
    assert full == pytest.approx(logistic(0.5 + mean_full))
    assert nano == pytest.approx(full - lost)
    assert mini == pytest.approx(full - lost / 4)


def test_a_model_survives_packing() -> None:
    random = np.random.default_rng(1)
    gains, fulls = random.integers(-32_768, 32_768, (2, 500)).astype(np.int16)

    packed = pack(gains, fulls, SCALE)

    ids = [3, 499, 3, 250]
    assert packed == pack(gains, fulls, SCALE)
    assert unpack(packed).scale == SCALE
    assert unpack(packed).estimate(ids, "") == Difficulty(gains, fulls, SCALE).estimate(ids, "")


@pytest.mark.parametrize("place", [0, 25, 60, 200, 5_000, -1])
def test_a_damaged_artefact_is_refused(place: int) -> None:
    damaged = bytearray(artefact())
    damaged[place] ^= 1

    with pytest.raises(DamagedModel):
        unpack(bytes(damaged))


@pytest.mark.parametrize("cut", [0, 10, 1_000])
def test_a_cut_artefact_is_refused(cut: int) -> None:
    with pytest.raises(DamagedModel):
        unpack(artefact()[:cut])


def test_another_version_is_refused() -> None:
    with pytest.raises(DamagedModel):
        unpack(artefact().replace(b" 2 ", b" 3 ", 1))


def test_the_artefact_is_small() -> None:
    assert len(artefact()) <= 1_500_000


def test_the_same_prompt_always_scores_the_same(packaged: Difficulty) -> None:
    ids = [5, 1_000, 70_000, 199_997, 5]

    again = Difficulty.load().estimate(ids, "")

    assert packaged.estimate(ids, "") == again
    assert packaged.estimate(list(reversed(ids)), "") == again


@settings(max_examples=200)
@given(st.lists(st.integers(-(2**31), 2**31), max_size=300))
def test_any_tokens_give_a_fair_triple(ids: list[int]) -> None:
    gains, fulls = np.array([[-32_768, 32_767, 5], [32_767, -32_768, 5]], np.int16)

    assert is_fair(Difficulty(gains, fulls, SCALE).estimate(ids, ""))


def test_extreme_tokens_never_spill_into_each_other() -> None:
    gains, fulls = np.array([[-32_768, 32_767], [-32_768, 32_767]], np.int16)
    model = Difficulty(gains, fulls, SCALE)

    low, high = model.estimate([0] * MOST_TOKENS, ""), model.estimate([1] * MOST_TOKENS, "")

    assert low[2] == pytest.approx(0.0)
    assert high[2] == pytest.approx(1.0)
    assert high[2] - high[0] == pytest.approx(0.5)


def test_tokens_beyond_any_task_are_not_read(packaged: Difficulty) -> None:
    kept = [100] * MOST_TOKENS

    assert packaged.estimate([*kept, 9_000, 9_001], "") == packaged.estimate(kept, "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\u200b\u200d\ufeff\u2060",
        "\x00\x01\x1f",
        "\ud800 alone",
        "\U0010ffff" * 500,
        "👩‍👩‍👧‍👦" * 200,
        "a" * 2_000,
        "\n" * 2_000,
        "<|endoftext|>",
        "ﷺ𓀀𝔄꧁",
    ],
)
def test_odd_text_gives_a_fair_triple(estimate: Estimate, text: str) -> None:
    assert is_fair(estimate(text))


@settings(max_examples=100)
@given(st.text(max_size=300))
def test_any_text_gives_a_fair_triple(estimate: Estimate, text: str) -> None:
    assert is_fair(estimate(text))


# None of these is among the anchors the model was shown.
PAIRS = {
    "en": (
        ["Hey there!", "Thank you so much.", "What is the capital of Spain?", "Count to five."],
        [
            "Prove that the square root of 2 is irrational.",
            "My wait-free hash table drops updates under contention. Find the race.",
            "Who was the third bishop of Passau?",
            "Derive the Black-Scholes equation and explain each assumption step by step.",
        ],
    ),
    "es": (
        [
            "¡Buenas tardes!",
            "Muchas gracias.",
            "¿Cuál es la capital de Italia?",
            "Cuenta un chiste",
        ],
        [
            "Demuestra que la raíz cuadrada de 2 es irracional.",
            "Mi tabla hash sin bloqueos pierde escrituras. Encuentra la condición de carrera.",
            "Deduce la ecuación de Schrödinger para el oscilador armónico y resuélvela.",
            "Implementa una cola MPMC sin bloqueos en C++ y explica el orden de memoria.",
        ],
    ),
    "zh": (
        ["下午好！", "非常感谢。", "意大利的首都是哪里？", "讲一个笑话"],
        [
            "证明根号2是无理数。",
            "我的无锁哈希表在并发时丢失更新，找出竞争条件。",
            "推导谐振子的薛定谔方程并求解。",
            "用C++实现无锁MPMC队列并解释内存序。",
        ],
    ),
}


@pytest.mark.parametrize("language", PAIRS)
def test_hard_prompts_gain_more_than_easy_ones(gain: Callable[[str], float], language: str) -> None:
    easy, hard = (list(map(gain, prompts)) for prompts in PAIRS[language])

    ordered = sum(e < h for e in easy for h in hard)
    assert ordered >= 12  # of sixteen: a bag of words may miss four
    assert sum(hard) > 2.5 * sum(easy)


@pytest.mark.parametrize("language", ["es", "zh"])
def test_hard_prompts_are_no_easier_for_their_language(
    gain: Callable[[str], float], language: str
) -> None:
    assert sum(map(gain, PAIRS[language][1])) >= sum(map(gain, PAIRS["en"][1]))


def test_greetings_gain_little(gain: Callable[[str], float]) -> None:
    greetings = ["hi", "Hello!", "Thanks!", "ok", "¡Hola!", "你好", "Bonjour", "Привет"]

    assert sum(map(gain, greetings)) / len(greetings) < 0.12  # told by signals besides


def test_brief_prompts_and_large_gains_are_less_sure() -> None:
    doubtful = replace(SCALE, doubt_least=0.02, doubt_gain=0.2, doubt_brief=0.1)
    model = Difficulty([0], [0], doubtful)

    assert model.doubt(0.1, 8) == pytest.approx(0.02 + 0.02 + 0.01)
    assert model.doubt(0.3, 8) > model.doubt(0.1, 8) > model.doubt(0.1, 80)
    assert Difficulty([0], [0], SCALE).doubt(0.3, 8) == 0.0


def test_an_excerpt_is_a_head_and_a_tail() -> None:
    text = "a" * HEAD + "b" * 5_000 + "c" * TAIL

    assert excerpt(text) == "a" * HEAD + "c" * TAIL
    assert excerpt("short") == "short"
