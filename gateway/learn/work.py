"""What the commands of this room do: train, evaluate, write the card.

Data is a folder of outcomes (`gateway.learn.archive`) or a file of labelled traffic
(`gateway.learn.traffic`).
"""

from importlib.resources import files
from pathlib import Path

from gateway.classify.difficulty import ARTEFACT, unpack
from gateway.learn.card import CARD, card
from gateway.learn.evaluate import Figures, evaluate
from gateway.learn.prepare import prepare
from gateway.learn.train import train
from gateway.learn.vectors import minilm


def trained(data: Path, out: Path, *, model: Path | None = None) -> Figures:
    """Train; write the artefact and its card into a folder; give the figures.

    Args:
        data: what to learn from.
        out: where to write.
        model: folder of the sentence model; without it, that of its installed package.

    Raises:
        FileNotFoundError: the data or the sentence model is not there.
        UnreadableTraffic: a line of the traffic is none.
    """
    lesson = prepare(data, model or minilm())
    artefact = train(lesson)
    figures = evaluate(lesson, unpack(artefact), data)
    out.mkdir(parents=True, exist_ok=True)
    (out / ARTEFACT).write_bytes(artefact)
    (out / CARD).write_text(card(figures, artefact, len(lesson.anchors)), "utf-8")
    return figures


def evaluated(
    data: Path, artefact: Path | None = None, *, model: Path | None = None, out: Path | None = None
) -> Figures:
    """Judge an artefact (without one, the packaged); with `out`, write its card there.

    Raises:
        FileNotFoundError: the data, the artefact or the sentence model is not there.
        UnreadableTraffic: a line of the traffic is none.
        DamagedModel: the artefact is not what was trained.
    """
    packed = artefact.read_bytes() if artefact else (files("gateway.data") / ARTEFACT).read_bytes()
    difficulty = unpack(packed)
    lesson = prepare(data, model or minilm())
    figures = evaluate(lesson, difficulty, data)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / CARD).write_text(card(figures, packed, len(lesson.anchors)), "utf-8")
    return figures
