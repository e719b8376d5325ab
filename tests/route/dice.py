"""Chance that falls the same way every time."""

from random import Random


def dice(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - a test must be able to repeat it
