"""What deciding costs: CPU microseconds of whole decisions, no two prompts alike.

A decision is the assessment, what is remembered of the caller, the choice, its plan, its reasons in
words and its entry among the latest decisions; not the reading of the request, and no network. It
is measured in a loop of its own, by the process's CPU time: the least of the rounds, because
whatever else the machine does only adds. Beside the rest of a call it costs more, since the
processor's caches hold other things (`crowd`: routed less named).

`python -m tests.bench.decision` prints the figures as JSON.
"""

import asyncio
import json
import subprocess
import sys
import time
from itertools import count

import orjson

from gateway.app.dry import idle
from gateway.call import NO_WISHES, Call
from gateway.classify import reader
from gateway.classify.assess import Assessor
from gateway.classify.difficulty import Difficulty
from gateway.classify.tokens import Tokenizer
from gateway.clock import SystemClock
from gateway.flow.journey import Journey
from gateway.flow.life import Flow
from gateway.flow.parts import Assesses, Rules
from gateway.route.target import ROUTE_FREELY
from tests.bench.bodies import QUESTIONS, SYSTEM
from tests.bench.scenarios import MICRO, Bench, Figures
from tests.fakes import catalog

ROUNDS = 5
# Tokens of a prompt, and how many such decisions make a round.
SIZES = ((100, 300), (500, 200), (100_000, 10))
RUSSIAN = (
    "Объясните, почему приливы бывают дважды в день, и рассчитайте высоту воды в гавани, если "
    "известны высота луны, расстояние до неё и глубина залива. Не пропускайте ни одного шага. "
)
# A text that is repeated, and its characters a token.
TEXTS = {"ascii": (" ".join(QUESTIONS) + " ", 4.4), "russian": (RUSSIAN, 4.2)}

_NUMBERS = count()


def decision(bench: Bench) -> Figures:
    """Whole decisions in a process of their own, on the gateway's core."""
    bench.say("decisions: 100, 500 and 100,000 tokens, compiled and not")
    made = bench.made
    command = (made.taskset, "-c", str(made.cores.proxy), sys.executable, "-m", __name__)
    done = subprocess.run(command, capture_output=True, check=True)  # noqa: S603 - ourselves
    figures: Figures = json.loads(done.stdout)
    return figures


def measured(rounds: int, sizes: tuple[tuple[int, int], ...]) -> Figures:
    """Microseconds by text, size and how it was assessed."""
    tokenizer, difficulty = Tokenizer(), Difficulty.load()
    ways = {
        "": reader.assessor(tokenizer, difficulty),
        "_in_steps": Assessor(tokenizer, difficulty),
    }
    return {
        f"{name}_{tokens}{way}_us": _least(assessor, name, (tokens, calls), rounds)
        for way, assessor in ways.items()
        for name in TEXTS
        for tokens, calls in sizes
    }


def _least(assessor: Assesses, name: str, size: tuple[int, int], rounds: int) -> float:
    with idle(catalog(), assessor, Rules(), SystemClock()) as flow:
        return min([asyncio.run(_round(flow, name, *size)) for _ in range(rounds)])


async def _round(flow: Flow, name: str, tokens: int, calls: int) -> float:
    made = [_call(name, tokens) for _ in range(calls)]
    began = time.process_time()
    for call in made:
        await _decide(flow, call)
    return (time.process_time() - began) / calls * MICRO


async def _decide(flow: Flow, call: Call) -> None:
    journey = Journey(call)
    seen = await flow.assess(call)
    journey.assessed(seen)
    known = journey.known = await flow.recall.choose(call, seen, ROUTE_FREELY)
    journey.chose(known.turn.choice)
    next(flow.plan(known.turn.choice, ROUTE_FREELY, None))
    journey.words()
    flow.decisions.add(journey.decided(journey.ended(call.arrived), call.arrived))


def _call(name: str, tokens: int) -> Call:
    text, rate = TEXTS[name]
    number, size = next(_NUMBERS), int(tokens * rate)
    messages = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": f"{number}. {text * (size // len(text) + 1)}"[:size]},
    ]
    # Read back, as a gateway has it: every text an object of its own.
    body = orjson.dumps({"model": "auto", "max_tokens": 300, "messages": messages[tokens > 100 :]})
    document = orjson.loads(body)
    return Call(str(number), body, document, "auto", False, False, NO_WISHES, (), SystemClock.now())


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measured(ROUNDS, SIZES)) + "\n")
