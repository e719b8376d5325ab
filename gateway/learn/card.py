"""Writes the model card: what the artefact is, what it learned from, how far to trust it."""

import hashlib
from typing import Any

from gateway.classify.difficulty import ARTEFACT, BRIEF, HEAD, LENGTHY, TAIL, VERSION

CARD = "difficulty.card.md"

OPENING = """\
# Difficulty model

`{artefact}`, version {version}, {size:,} bytes, SHA-256 of the file `{digest}`.
Written by `tiergate learn train`; the same data give the same bytes on the same numpy and linear
algebra.

Predicts, from a prompt's first {head} and last {tail} characters, the quality (0-1) that
gpt-4.1-nano, gpt-4.1-mini and gpt-4.1 would reach, and thereby the gain of a larger model. Two
integers per o200k token, summed, averaged, moved a little by length and put on a logistic scale.

## How it was made

1. Each token takes the mean input embedding of its word pieces in all-MiniLM-L6-v2 (Apache-2.0),
   centred per script, on its 384 main axes, weighted down when common; surface facts (digit,
   bracket, line end, capital …) are further columns. Words of ten other languages take the vector
   of their English meaning, from a hand-written list of some 150 concepts; 160 more columns are
   the main axes of the token's text in Google's universal sentence encoder for sixteen languages
   (multilingual v3, Apache-2.0). Nothing of either model is shipped: a ridge regression folds all
   of it into two numbers a token, and no token says more of the gain than nine in ten others do.
2. The ranking signal is the mean outcome of larger models minus that of smaller ones, plus how
   hard the prompt is within its benchmark (mean over all models: a single pair of outcomes is a
   coin's toss). The level of each benchmark is set to published or typical results of the gpt-4.1
   family (`gateway/learn/benchmarks.py`), not to those of older models.
3. Length is fitted apart: its slope is measured among prompts of one benchmark (longer statements
   gain more in nearly all of them), taken off the signal, and put on again after the words are
   fitted. Between {brief} and {lengthy} tokens it counts; beyond, it says nothing.
4. Kinds of work that no outcome covers have a level from a few hand-written texts each (anchors):
   published scores of the three tiers at such work, or a judgement where there are none.
5. No benchmark weighs more than 1,000 of its rows; the obscure facts, measured on the gpt-4.1
   family itself, count twice, and MMLU, which is 57 subjects, five times.
6. Logistic curves turn the two means into gain and quality; they are fitted on predictions for
   subjects the heads had not seen. Three further constants say how far a gain is to be trusted:
   what it moves by, on average, when every benchmark of the prompt's kind is left out.

## Data

Trained on the `dev_train` rows of these sources only; the rows are not part of this project.

| source | what | licence |
|---|---|---|
| lm-sys/RouteLLM | MMLU, GSM8K | Apache-2.0 |
| WildEval/ZeroEval | further models' GSM8K outcomes | Apache-2.0 |
| ulab-uiuc/LLMRouter | 10 tasks (not free-answer trivia, graded by wording) | MIT |
| TIGER-AI-Lab/MMLU-Pro | 9 subjects | Apache-2.0 |
| 19PINE-AI/ikp | factual probes, with outcomes of gpt-4.1-nano, -mini and gpt-4.1 | CC BY 4.0 |
| this project | {anchors} hand-written anchors, 12 languages, a third held out | Apache-2.0 |

Used for judging only, since no licence (or a non-commercial one) is stated: BFCL results,
AlpacaEval, Zellinger's cascades, RouterBench as republished by RouterDC.

The anchors exist because benchmarks contain no greetings, one-line translations or small
extractions, and hardly anything but English, and because older models' outcomes do not say how far
the tiers that are served lie apart at a kind of work. Their labels are opinion, or published scores
rounded. The list of meanings was written with such prompts in mind, so held-out anchors flatter
other languages somewhat.

## Figures

APGR (share of the gap between small and large model that is recovered, averaged over all shares of
calls to the large one; random is 0.5) with its 95 % interval by bootstrap over prompts. *Unseen
prompts* is the artefact on prompts it was not trained on; for *unseen subjects* and *unseen
families* models were trained the same way without them and scored on everything. With families left
out, no outcome of any gpt-4.1 model is left for `gpt-4.1`. The anchors stay in, also those of the
kind left out: these figures are for a kind of which published scores are known and nothing else;
the row after them leaves those out as well, for a kind of which nothing is known.
*Unseen prompts* flatters: collections share questions (GSM8K, MBPP, MMLU), so some were seen in
other words. The few constants (how much hardness, how heavy the anchors, the penalty) were chosen
with all three settings in view, so the other two flatter a little as well; the slope of length is
estimated once, on all training rows. Intervals of the macro mean are wide where a few dozen prompts
divide by a small gap. `MMLU pair` is mixtral-8x7b against gpt-4-turbo, the field's usual pair.
"""

CLOSING = """
## Limits

- A prompt's words and their number are all it sees: not their order, nor tools, images,
  conversation or the length of what lies between head and tail.
- Benchmarks are mostly short questions with short answers; agents, long documents and open
  writing are judged by analogy and by anchors. On the chat pairs of AlpacaEval it ranks no better
  than chance, nor among the prompts of MMLU-Pro.
- Word order is invisible, so a hard question written beside an easy one counts, whoever wants it
  answered, and a text padded with odd tokens can move its own estimate: never use it as a security
  boundary. Invisible characters, look-alike letters, capitals and repetition are taken away first.
- Other languages lean on a small list of words: they are ordered well, but their level is less
  sure than that of English. Languages beyond the twelve are treated as average text.
- A gain below 0.05 should be read as none. Outcomes are single samples; levels will shift with
  model versions.
"""


def card(figures: dict[str, Any], artefact: bytes, anchors: int) -> str:
    """The whole card.

    Args:
        figures: what `evaluate` found.
        artefact: the artefact's bytes.
        anchors: how many anchors there are.
    """
    opening = OPENING.format(
        artefact=ARTEFACT,
        version=VERSION,
        size=len(artefact),
        digest=hashlib.sha256(artefact).hexdigest(),
        anchors=anchors,
        head=HEAD,
        tail=TAIL,
        brief=BRIEF,
        lengthy=LENGTHY,
    )
    parts = [opening, _ranking(figures["ranking"])]
    parts += [_calibration(figures["calibration"]), _sanity(figures["anchors"]), CLOSING]
    return "\n".join(parts)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def _ranking(found: dict[str, dict[str, list[float]]]) -> str:
    pools = list(dict.fromkeys(pool for row in found.values() for pool in row))
    rows = [
        [name, *(_with_doubt(row[pool]) if pool in row else "-" for pool in pools)]
        for name, row in found.items()
    ]
    return _table(["", *pools], rows)


def _with_doubt(figure: list[float]) -> str:
    middle, low, high = figure
    return f"{middle:.2f} [{low:.2f}, {high:.2f}]"


def _calibration(found: dict[str, list[float]]) -> str:
    rows = [[model, *(f"{value:.3f}" for value in row)] for model, row in found.items()]
    head = ["obscure facts, unseen prompts", "predicted", "actual", "calibration error"]
    return _table(head, rows)


def _sanity(found: dict[str, list[float]]) -> str:
    rows = [[language, *(f"{value:.2f}" for value in row)] for language, row in found.items()]
    head = ["held-out anchors", "gain, everyday", "gain, exacting", "right order"]
    return _table(head, rows)
