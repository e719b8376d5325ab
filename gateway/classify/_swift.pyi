"""Token counting and whole assessments in C; built where a compiler was there at installation."""

from array import array
from collections.abc import Sequence
from typing import final

from gateway.call import Assessment

@final
class Encoder:
    """As `gateway.classify.portable.Encoder`."""

    def __new__(cls, ranks: bytes, classes: bytes, /) -> Encoder: ...
    def encode(self, text: str, /) -> list[int]: ...
    def count(self, text: str, /) -> int: ...

@final
class Reader:
    """What `gateway.classify.reader` makes, of the tables it hands over."""

    def __new__(
        cls, model: tuple[object, ...], tables: tuple[object, ...], rest: tuple[object, ...], /
    ) -> Reader: ...
    def read(self, document: object, /) -> Assessment | None: ...

def total(numbers: array[int], places: Sequence[int], /) -> int: ...
