"""Replies that are being read: none is left open by whoever could not finish."""

from types import TracebackType

from gateway.ports import Reply


class AbortOnFailure:
    """Gives a reply up if what is done with it fails, is refused or is cancelled.

    A class, because a generator of contextlib would take longer than everything it guards.
    """

    __slots__ = ("_reply",)

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    def __enter__(self) -> None:
        """Nothing is to be done before."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Whatever is left of the reply is nobody's."""
        if kind is not None:
            self._reply.abort()
