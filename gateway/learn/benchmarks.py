"""What is known about the benchmarks the outcomes come from: kin, licence and level.

Nothing here is measured by this package. Levels are published or typical results of the gpt-4.1
family, rounded; they replace the level that other, older models happen to have on a benchmark,
while which prompts *within* it are hard is learned from every model's outcomes.
"""

from typing import Final

LICENSED: Final = frozenset({"RouteLLM", "UIUC-LLMRouter", "MMLU-Pro", "IKP"})
"""Sources under Apache-2.0, MIT or CC BY: all that training may see.

RouterBench is MIT, but its rows come through a repository that states no licence: left out.
"""

UNGRADED: Final = frozenset({"uiuc_trivia_qa", "uiuc_natural_qa"})
"""Free answers graded by exact match, where larger models lose by wording: no targets."""

BROKEN: Final = frozenset({"mmlu_pro_math", "mmlu_pro_chemistry", "bfcl_java", "bfcl_javascript"})
"""Benchmarks on which the gemini-1.5 runs were broken at the source."""

BROKEN_MODELS: Final = ("gemini-1.5-flash", "gemini-1.5-pro")

SMALL: Final = (
    *("gpt-4.1-nano", "gpt-4o-mini", "gpt-5-nano", "llama-3.1-8b", "llama-3-8b", "mixtral-8x7b"),
    *("gpt-3.5-turbo", "claude-3-haiku", "gemini-1.5-flash", "mistral-7b-v0.3", "qwen-2.5-7b"),
    "gemma-2-9b",
)
LARGE: Final = (
    *("gpt-4.1", "gpt-4o", "gpt-5", "llama-3.1-405b", "llama-3.1-70b", "llama-3-70b"),
    *("gpt-4-turbo-1106", "gpt-4-turbo", "claude-3-opus", "gemini-1.5-pro", "nemotron-51b"),
    *("nemotron-super-49b", "qwen-2.5-72b"),
)

LEVELS: Final[dict[str, tuple[float, float]]] = {
    "gsm8k": (0.03, 0.96),
    "uiuc_gsm8k": (0.03, 0.96),
    "uiuc_mgsm": (0.05, 0.93),
    "uiuc_math": (0.12, 0.88),
    "mmlu": (0.10, 0.90),
    "uiuc_mmlu": (0.12, 0.80),
    "mmlu_pro": (0.13, 0.80),
    "uiuc_arc_challenge": (0.05, 0.96),
    "uiuc_commonsense_qa": (0.05, 0.88),
    "uiuc_openbook_qa": (0.05, 0.95),
    "uiuc_mbpp": (0.08, 0.85),
    "uiuc_human_eval": (0.08, 0.93),
    "uiuc_commongen": (0.05, 0.85),
    "ikp_facts": (0.242, 0.837),
}
"""Gain of full over nano and quality of full, per benchmark; IKP's are measured in the data."""

WEIGHTS: Final = {"ikp_facts": 2.0, "mmlu": 5.0}
"""Weight of what is measured on the gpt-4.1 family itself, and of what is many subjects under one
name (MMLU has 57, where MMLU-Pro counts as one benchmark a subject)."""

_KIN: Final = (
    ("mmlu", "exams"),
    ("gsm", "mathematics"),
    ("uiuc_math", "mathematics"),
    ("arc", "common sense"),
    ("openbook", "common sense"),
    ("commonsense", "common sense"),
    ("winogrande", "common sense"),
    ("commongen", "common sense"),
    ("trivia", "trivia"),
    ("natural_qa", "trivia"),
    ("ikp", "obscure facts"),
    ("mbpp", "code"),
    ("human_eval", "code"),
    ("bfcl", "tools"),
    ("alpaca", "chat"),
)


ANCHORED: Final[dict[str, tuple[str, ...]]] = {
    "exams": ("exam question", "graduate science"),
    "mathematics": ("word problem", "competition mathematics"),
    "common sense": ("common sense",),
    "trivia": ("quiz fact",),
    "obscure facts": ("obscure fact",),
    "code": ("code reasoning", "software engineering"),
    "chat": ("open writing", "instructions"),
}
"""The kinds of anchors that stand for a family of benchmarks."""


def family(benchmark: str) -> str:
    """The family a benchmark is left out with: those that share questions or their kind."""
    return next((kin for mark, kin in _KIN if mark in benchmark), benchmark)


def level(benchmark: str) -> tuple[float, float] | None:
    """Gain and full quality of the gpt-4.1 family on a benchmark, if anything is known."""
    return LEVELS.get("mmlu_pro" if benchmark.startswith("mmlu_pro") else benchmark)
