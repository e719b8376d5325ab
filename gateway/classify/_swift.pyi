"""Token counting in C; built where a compiler was there when the package was installed."""

from array import array
from collections.abc import Sequence
from typing import final

@final
class Encoder:
    """As `gateway.classify.portable.Encoder`."""

    def __new__(cls, ranks: bytes, classes: bytes, /) -> Encoder: ...
    def encode(self, text: str, /) -> list[int]: ...
    def count(self, text: str, /) -> int: ...

def total(numbers: array[int], places: Sequence[int], /) -> int: ...
