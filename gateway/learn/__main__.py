"""The offline room without the command line: `python -m gateway.learn train|evaluate|card`.

`python -m gateway.learn replay` replays traffic under budgets, deadlines and shifts instead.
"""

import argparse
import json
import sys
from importlib import import_module
from pathlib import Path

from gateway.learn.replay import main as replay

PACKAGED = Path("gateway/data")


def main(arguments: list[str]) -> int:
    """Train (artefact and card), evaluate (figures as JSON) or write the card; 0 when done."""
    if arguments[:1] == ["replay"]:
        return replay(arguments[1:])
    parser = argparse.ArgumentParser(prog="python -m gateway.learn", description=__doc__)
    parser.add_argument("task", choices=["train", "evaluate", "card"])
    parser.add_argument("--data", type=Path, required=True, help="folder of outcomes or traffic")
    parser.add_argument("--minilm", type=Path, help="folder of all-MiniLM-L6-v2")
    parser.add_argument("--out", type=Path, default=PACKAGED)
    chosen = parser.parse_args(arguments)
    # Replaying needs none of the packages that training does.
    work = import_module("gateway.learn.work")
    if chosen.task == "train":
        figures = work.trained(chosen.data, chosen.out, model=chosen.minilm)
    else:
        out = chosen.out if chosen.task == "card" else None
        figures = work.evaluated(chosen.data, model=chosen.minilm, out=out)
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
