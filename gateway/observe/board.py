"""Memory that the processes of one gateway share, in which each shows its figures to the others.

It is made before the processes are, belongs to no file, and outlives whoever writes in it, so the
last word of a process that was killed can still be read. A place has one writer and two sides: the
side that is not shown is written, then shown by one byte; a checksum tells a reader who was
overtaken twice meanwhile.

Refused: locks, and growing. Figures larger than a side are not shown.
"""

from collections.abc import Iterator
from mmap import mmap
from struct import Struct
from typing import Final, NamedTuple
from zlib import crc32

SIDE: Final = 4 << 20
"""Bytes: some thousand deployments. What is never written takes no memory."""

HEAD: Final = Struct("=QII")
"""Whose figures, how many bytes, their checksum."""

TRIES: Final = 3


class Shown(NamedTuple):
    """Figures, and the life of the process that showed them; lives count from 1."""

    life: int
    packed: bytes


class Board:
    """`places` processes' figures, each written by one process only."""

    __slots__ = ("_memory", "_side", "places")

    def __init__(self, places: int, side: int = SIDE) -> None:
        self.places = places
        self._side = side
        # A page for the bytes that say which side is shown.
        self._memory = mmap(-1, 4096 + places * 2 * side)

    def show(self, place: int, shown: Shown) -> bool:
        """Show figures at a place; False: they are too large."""
        life, packed = shown
        if HEAD.size + len(packed) > self._side:
            return False
        hidden = 1 - self._memory[place]
        at = self._at(place, hidden)
        HEAD.pack_into(self._memory, at, life, len(packed), crc32(packed))
        self._memory[at + HEAD.size : at + HEAD.size + len(packed)] = packed
        self._memory[place] = hidden
        return True

    def look(self, place: int) -> Shown | None:
        """What a place shows; None where nothing was shown, or it cannot be read."""
        for _ in range(TRIES):
            at = self._at(place, self._memory[place])
            life, size, check = HEAD.unpack_from(self._memory, at)
            packed = self._memory[at + HEAD.size : at + HEAD.size + size]
            if life and crc32(packed) == check:
                return Shown(life, packed)
        return None

    def every(self) -> Iterator[tuple[int, Shown]]:
        """Every place that shows something."""
        for place in range(self.places):
            if (shown := self.look(place)) is not None:
                yield place, shown

    def _at(self, place: int, side: int) -> int:
        return 4096 + (2 * place + side) * self._side
