"""One `Recorder` out of two: what happened is counted, then logged."""

from gateway.observe.log import CallLog
from gateway.observe.tally import Tally
from gateway.ports import Ended


class Recording:
    """A `Recorder` that tells the metrics and the log."""

    __slots__ = ("_log", "_tally", "attempted")

    def __init__(self, tally: Tally, log: CallLog) -> None:
        self._tally = tally
        self._log = log
        # Attempts have no line of their own: the call's line counts them.
        self.attempted = tally.attempted

    def ended(self, ended: Ended) -> None:
        self._tally.ended(ended)
        self._log.ended(ended)
