"""The reply to a command that nobody awaits, told in the very turn that reads it.

Most commands of a call are such: a future each, with a turn of the loop for whoever is told, would
take as long as the command. Whoever is told must not raise, and may send other commands.
"""

from collections.abc import Callable
from typing import Any

Told = Callable[["Posted"], object]


class Posted:
    """A command on its way; `reply` counts once `over` and without an `error`."""

    __slots__ = ("_then", "error", "over", "reply")

    def __init__(self, then: Told | None = None) -> None:
        self.reply: Any = None
        self.error: Exception | None = None
        self.over = False
        self._then: tuple[Told, ...] = () if then is None else (then,)

    @property
    def came(self) -> bool:
        """Whether there is a reply, which may be an error reply."""
        return self.over and self.error is None

    def then(self, told: Told) -> None:
        """Tell somebody more when it is over; at once if it is."""
        if self.over:
            told(self)
        else:
            self._then += (told,)

    # ── as a connection sees it, which has futures beside these ──────────────

    def done(self) -> bool:
        """Whether it is over."""
        return self.over

    def set_result(self, reply: object) -> None:
        """The reply is in."""
        self.reply = reply
        self._tell()

    def set_exception(self, error: Exception) -> None:
        """There will be none."""
        self.error = error
        self._tell()

    def _tell(self) -> None:
        self.over = True
        for told in self._then:
            told(self)
