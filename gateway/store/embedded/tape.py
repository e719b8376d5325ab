"""A tape: memory that outlives the process, for what is not in the database yet.

A file of fixed size, mapped into memory and written round and round. Writing is a copy, so it may
be done on the hot path; as the pages belong to the file, a killed process leaves them to the next
one. (What a loss of power leaves is for the database to say.)

    record: length, checksum, number; then as many bytes

Records are numbered one by one, and the database knows the number and the place of the last one
that it holds. Whoever starts reads on from there for as long as numbers follow each other and
checksums are right: that is where the last process was stopped. The checksum begins with a salt
that is new with every start, so that what is left of an earlier lap is never taken for new.

The file's blocks are reserved when it is made: a mapped page without a block would kill us.
"""

import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from struct import Struct
from typing import Final, NamedTuple
from zlib import crc32

SIZE: Final = 4 << 20
"""Bytes: some 15,000 calls between two writes of the database."""

HEAD: Final = Struct("<IIQ")
WRAP: Final = 0xFFFFFFFF
"""In place of a length: the next record is at the beginning."""

OWN = 0o600


class Mark(NamedTuple):
    """A place on a tape: what its checksums begin with, the last number, bytes written by then."""

    salt: int
    number: int
    at: int


class Tape:
    """A tape from a mark on; one thread writes."""

    __slots__ = ("_file", "_head", "_salt", "_size", "freed", "number")

    def __init__(self, path: Path, mark: Mark, size: int = SIZE) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, OWN)
        try:
            os.posix_fallocate(descriptor, 0, size)
            self._file = mmap.mmap(descriptor, size)
        finally:
            os.close(descriptor)
        self._size = size
        self._salt, self.number, self._head = mark
        self.freed = mark.at

    def mark(self) -> Mark:
        """Where the tape is."""
        return Mark(self._salt, self.number, self._head)

    def write(self, data: bytes) -> int:
        """Write a record if there is room; where the tape is now.

        Without room (what is before `freed` may be overwritten) it is numbered all the same, so
        that reading ends there.
        """
        number = self.number = self.number + 1
        need = HEAD.size + len(data)
        at = self._head % self._size
        lap = self._size - at if at + need > self._size else 0
        if self._head + lap + need - self.freed > self._size:
            return self._head
        if lap:
            if lap >= HEAD.size:
                HEAD.pack_into(self._file, at, WRAP, 0, number)
            at = 0
        start = at + HEAD.size
        self._file[start : at + need] = data
        # The head comes last: without it the record is not there.
        checksum = crc32(data, (self._salt + number) & WRAP)
        HEAD.pack_into(self._file, at, len(data), checksum, number)
        self._head += lap + need
        return self._head

    def read(self) -> Iterator[bytes]:
        """What was written after the mark, as far as it is whole; then the tape is there."""
        while (found := self._record()) is not None:
            yield found

    def renew(self, salt: int) -> None:
        """Begin anew from here: what lies ahead, if anything does, is not ours."""
        self._salt = salt
        self.number += 1
        self.freed = self._head

    def close(self) -> None:
        """Let the memory go; what was written stays."""
        self._file.close()

    def _record(self) -> bytes | None:
        number, at = self.number + 1, self._head % self._size
        lap = 0
        if at + HEAD.size > self._size or self._head_at(at) == (WRAP, number):
            lap, at = self._size - at, 0
        if at + HEAD.size > self._size:
            return None
        length, checksum, found = HEAD.unpack_from(self._file, at)
        start = at + HEAD.size
        if found != number or start + length > self._size:
            return None
        data = self._file[start : start + length]
        if crc32(data, (self._salt + number) & WRAP) != checksum:
            return None
        self.number = number
        self._head += lap + HEAD.size + length
        return data

    def _head_at(self, at: int) -> tuple[int, int]:
        length, _, number = HEAD.unpack_from(self._file, at)
        return length, number
