"""What published scores say of each tier at a kind of work.

A prior says what share of the full model's quality a smaller tier keeps at work of a kind, by the
GPT-4.1 family's published scores (nano / mini / full):

    tools         ComplexFuncBench 5.7/49.3/65.5, TauBench retail 22.6/55.8/68.0, airline 14/36/49.4
    long          128k: MRCR 36.6/47.2/57.2, Graphwalks 25/61.7/61.7; beyond: 12/33/46, 2.9/15/19
    turns         Multi-IF 57.2/67.0/70.8, MultiChallenge 15.0/35.8/38.3
    images        MMMU 55.4/72.7/74.8, MathVista 56.2/73.1/72.2, CharXiv 40.5/56.8/56.7
    code at size  Aider 9.8/34.7/51.6, SWE-Lancer 15.3/33.0/35.1
    reasoning     GPQA 50.3/65.0/66.3, AIME 29.4/49.6/48.1
    many demands  IFEval 74.5/84.1/87.4
    scripts       MMMLU 66.9/78.5/87.3 beside MMLU 80.1/87.5/90.2: the gap doubles

A kind of work that rests on wording alone moves a prediction half as far, so that a caller buys
little by writing "prove"; the text's own difficulty is the learned model's to judge.
"""

from typing import NamedTuple

from gateway.classify.cues import DEMANDING, Kind
from gateway.classify.prompt import Prompt

DEMANDS = 4
"""Questions or numbered steps from which a task counts as many-sided."""

LONG = 64_000
VERY_LONG = 400_000
SIZED_CODE = 2_000
"""Prompt tokens from which a prior for length, and for code within a larger whole, applies."""

SOME_TURNS = 4
MANY_TURNS = 12

_SMALL_TALK = Kind.SMALL_TALK

Shares = tuple[float, float]
"""What nano and mini keep of the full model's quality."""

ALL: Shares = (1.0, 1.0)


class Priors(NamedTuple):
    """Shares by kind of work, for the models that the tiers hold.

    The defaults are the GPT-4.1 family's (from the table above; reasoning, demands and schemas,
    which rest on wording, with about half the loss). `gap` is a factor on the learned gain of the
    full model over the others: below 1 where the tiers lie closer together than that family.
    """

    tools: Shares = (0.23, 0.77)
    long: Shares = (0.40, 0.83)
    very_long: Shares = (0.21, 0.65)
    some_turns: Shares = (0.81, 0.95)
    many_turns: Shares = (0.60, 0.94)
    images: Shares = (0.75, 0.98)
    sized_code: Shares = (0.32, 0.80)
    reasoning: Shares = (0.8, 0.99)
    many_demands: Shares = (0.92, 0.98)
    schema: Shares = (0.92, 0.98)
    gap: float = 1.0


GPT_41 = Priors()


class Asked(NamedTuple):
    """What a task asks for."""

    kind: Kind
    code: bool
    demands: int


def shares(priors: Priors, prompt: Prompt, tokens: int, asked: Asked) -> Shares:
    """The lowest share that any prior leaves to nano and to mini."""
    found = [ALL]
    if prompt.uses_tools:
        found.append(priors.tools)
    if tokens > LONG:
        found.append(priors.very_long if tokens > VERY_LONG else priors.long)
    if prompt.images:
        found.append(priors.images)
    if prompt.schema_bytes:
        found.append(priors.schema)
    if asked.kind is not _SMALL_TALK:
        found += _by_wording(priors, prompt, tokens, asked)
    return ALL if len(found) == 1 else (min(n for n, _ in found), min(m for _, m in found))


def _by_wording(priors: Priors, prompt: Prompt, tokens: int, asked: Asked) -> list[Shares]:
    """The priors of what a greeting does not have."""
    found: list[Shares] = []
    if prompt.turns >= SOME_TURNS:
        found.append(priors.many_turns if prompt.turns >= MANY_TURNS else priors.some_turns)
    if asked.code and tokens > SIZED_CODE:
        found.append(priors.sized_code)
    if asked.kind in DEMANDING:
        found.append(priors.reasoning)
    if asked.demands >= DEMANDS:
        found.append(priors.many_demands)
    return found
