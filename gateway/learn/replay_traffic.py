"""Traffic to replay: calls with what is predicted of them and what they turn out to be.

Synthetic menus are drawn to look like the packaged model's predictions on recorded prompts
(medians and deciles of quality, gain and length); recorded ones are those predictions themselves.
Deterministic by seed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, log, pi, sin
from random import Random
from typing import Final, NamedTuple

from gateway.call import Assessment
from gateway.catalog import Capability

WINDOW: Final = 3_600.0
"""Seconds of a budget's window."""

START: Final = 1_795_000_000.0 - 1_795_000_000.0 % WINDOW
"""The first window begins here (epoch seconds, a whole hour)."""

CALLS: Final = 1_000
"""Calls a window, on average."""

LENGTH_SPREAD: Final = 0.6
"""Answers vary by this much (standard deviation of the logarithm) around what is expected."""

LIMITED, LIMIT = 0.5, 1_024
"""The share of callers that bound their answers, and by how much."""


class Menu(NamedTuple):
    """What is predicted of a prompt: quality per tier, its tokens, those of its answer."""

    quality: tuple[float, float, float]
    prompt: int
    completion: int


class Task(NamedTuple):
    """One call: when it comes, what is thought of it, how long its answer turns out to be."""

    at: float
    seen: Assessment
    tokens: int


Draw = Callable[[Random], Menu]


def synthetic(random: Random) -> Menu:
    """A prompt whose predictions look like those of recorded ones."""
    full = min(0.98, max(0.5, 0.875 + random.gauss(0.0, 0.05)))
    gain = min(full, exp(random.gauss(log(0.074), 0.65)))
    nano = full - gain
    prompt = int(exp(random.gauss(4.4, 1.0))) + 10
    completion = random.choices((30, 120, 300, 700, 900), (1, 1, 6, 2, 1))[0]
    return Menu((nano, nano + 0.69 * gain, full), prompt, completion)


def drawing(menus: Sequence[Menu]) -> Draw:
    """Draws from recorded menus."""
    return lambda random: random.choice(menus)


@dataclass(frozen=True, slots=True)
class Mood:
    """What calls are like: `harder` picks the hardest of so many, `longer` is a factor."""

    harder: int = 1
    longer: float = 1.0


PLAIN = Mood()


def task(at: float, draw: Draw, random: Random, mood: Mood = PLAIN) -> Task:
    """One call."""
    menus = [draw(random) for _ in range(mood.harder)]
    quality, prompt, completion = max(menus, key=lambda m: m.quality[2] - m.quality[0])
    prompt = int(prompt * mood.longer * exp(random.gauss(0.0, 0.5))) + 10
    expected = int(completion * mood.longer)
    limit = LIMIT if random.random() < LIMITED else None
    tokens = max(1, int(expected * exp(random.gauss(-(LENGTH_SPREAD**2) / 2, LENGTH_SPREAD))))
    if limit is not None:
        expected, tokens = min(expected, limit), min(tokens, limit)
    seen = Assessment(
        prompt,
        (prompt, prompt),
        expected,
        limit,
        Capability.NONE,
        quality,
        quality[2] - quality[0],
    )
    return Task(at, seen, tokens)


def stationary(random: Random, calls: int) -> Iterator[tuple[float, Mood]]:
    """Evenly spread."""
    for _ in range(calls):
        yield random.random(), PLAIN


def bursty(random: Random, calls: int) -> Iterator[tuple[float, Mood]]:
    """In bursts of a dozen within half a minute."""
    left = calls
    while left > 0:
        begin, size = random.random(), min(left, 1 + int(random.expovariate(1 / 12)))
        left -= size
        for _ in range(size):
            yield min(begin + random.expovariate(WINDOW / 15.0), 0.9999), PLAIN


def daily(random: Random, calls: int) -> Iterator[tuple[float, Mood]]:
    """By day and by night: nineteen times as many at noon."""
    left = calls
    while left > 0:
        at = random.random()
        if random.random() * 1.9 < 1.0 + 0.9 * sin(2 * pi * (at - 0.3)):
            left -= 1
            yield at, PLAIN


def shifted(random: Random, calls: int) -> Iterator[tuple[float, Mood]]:
    """From some point on harder, longer, easier, or three times as many."""
    cut = random.uniform(0.2, 0.7)
    kind = random.choice(("harder", "longer", "easier", "more"))
    for at, mood in stationary(random, calls):
        if kind == "more":
            # A third comes before as would have, and as many more after.
            if at > cut or random.random() < 1 / 3:
                yield at, mood
            if random.random() < 1 / 3:
                yield random.uniform(cut, 1.0), mood
        elif kind == "easier":
            yield at, mood if at > cut else replace(mood, harder=4)
        elif at > cut:
            yield at, Mood(4, 1.0) if kind == "harder" else Mood(1, 3.0)
        else:
            yield at, mood


SHAPES: Final[Mapping[str, Callable[[Random, int], Iterator[tuple[float, Mood]]]]] = {
    "stationary": stationary,
    "bursty": bursty,
    "daily": daily,
    "shifted": shifted,
}


def windows(
    shape: str, seed: int, *, draw: Draw = synthetic, count: int = 6, calls: int = CALLS
) -> list[list[Task]]:
    """So many windows of traffic, each in order of time."""
    random = Random(f"{shape} {seed}")  # noqa: S311 - a simulation, not a secret
    found = []
    for number in range(count):
        begin = START + number * WINDOW
        arrivals = sorted(SHAPES[shape](random, calls), key=lambda pair: pair[0])
        found.append([task(begin + at * WINDOW, draw, random, mood) for at, mood in arrivals])
    return found
