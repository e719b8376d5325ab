"""One `Recorder` out of several: what happened is counted, then logged, then traced."""

from gateway.ended import Ended
from gateway.observe.log import CallLog
from gateway.observe.tally import Tally
from gateway.observe.tracing import Tracing


class Recording:
    """A `Recorder` that tells the metrics, the log and, where there is any, the tracing."""

    __slots__ = ("_log", "_tally", "_tracing", "attempted")

    def __init__(self, tally: Tally, log: CallLog, tracing: Tracing | None = None) -> None:
        self._tracing = tracing
        self._tally = tally
        self._log = log
        # Attempts have no line of their own: the call's line counts them.
        self.attempted = tally.attempted

    def ended(self, ended: Ended) -> None:
        self._tally.ended(ended)
        self._log.ended(ended)
        if self._tracing is not None:
            self._tally.exemplify(ended)
            self._tracing.ended(ended)
