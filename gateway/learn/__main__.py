"""The command line of the offline room: `python -m gateway.learn train|evaluate --data DIR`."""

import argparse
import json
import sys
from pathlib import Path

from gateway.classify.difficulty import ARTEFACT, unpack
from gateway.learn.card import card
from gateway.learn.evaluate import evaluate
from gateway.learn.prepare import prepare
from gateway.learn.replay import main as replay
from gateway.learn.train import train
from gateway.learn.vectors import minilm

CARD = "difficulty.card.md"


def main(arguments: list[str]) -> int:
    """Train (artefact and card) or only evaluate (figures as JSON); 0 when done."""
    if arguments[:1] == ["replay"]:
        return replay(arguments[1:])
    parser = argparse.ArgumentParser(prog="python -m gateway.learn", description=__doc__)
    parser.add_argument("task", choices=["train", "evaluate"])
    parser.add_argument("--data", type=Path, required=True, help="folder of outcomes")
    parser.add_argument("--minilm", type=Path, help="folder of all-MiniLM-L6-v2")
    parser.add_argument("--out", type=Path, default=Path("gateway/data"))
    chosen = parser.parse_args(arguments)
    lesson = prepare(chosen.data, chosen.minilm or minilm())
    artefact = train(lesson)
    if chosen.task == "train":
        (chosen.out / ARTEFACT).write_bytes(artefact)
    figures = evaluate(lesson, unpack(artefact), chosen.data)
    if chosen.task == "train":
        (chosen.out / CARD).write_text(card(figures, artefact, len(lesson.anchors)), "utf-8")
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
