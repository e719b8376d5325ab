"""What an error reply of Redis means, as a table.

    word                            what follows
    READONLY MASTERDOWN             the wrong server answers: find the right one, ask once more
    LOADING BUSY NOAUTH             it can serve nothing now: hang up; it counts against the server
    OOM MISCONF NOREPLICAS          it can take nothing more, but still be read: only this fails
    MOVED ASK                       another node of the cluster has it (`cluster`); else as below
    NOSCRIPT WRONGTYPE NOPERM ERR … this command cannot be done: only this fails

The text of an error may quote what was sent, so nothing here passes it on: a word is all that
reaches a message, a metric or a log.
"""

import re
from enum import Enum
from typing import NamedTuple

from gateway.errors import StoreUnavailable


class Then(Enum):
    """What follows an error reply."""

    REFUSE = "only this command fails"
    HANG_UP = "the connection is dropped, and it counts against the server"
    ELSEWHERE = "as before, and the command is tried once more where the store is now"


class Fault(NamedTuple):
    """An error reply: the metric's word for it, and what follows."""

    kind: str
    then: Then


class Refused(StoreUnavailable):
    """The store answers, but not to this command; `word` is the error's first."""

    def __init__(self, word: str) -> None:
        super().__init__(f"the store refused a command ({word})")
        self.word = word


TIMEOUT = "timeout"
LOST = "lost"
UNREACHABLE = "unreachable"
GARBLED = "garbled"
FLOODED = "flooded"
READ_ONLY = "readonly"

FAULTS = {
    "READONLY": Fault(READ_ONLY, Then.ELSEWHERE),
    "MASTERDOWN": Fault(READ_ONLY, Then.ELSEWHERE),
    "LOADING": Fault("loading", Then.HANG_UP),
    "BUSY": Fault("busy", Then.HANG_UP),
    "UNKILLABLE": Fault("busy", Then.HANG_UP),
    # Other slots may be served, and a server that answers at once costs nobody any time.
    "CLUSTERDOWN": Fault("cluster", Then.REFUSE),
    "TRYAGAIN": Fault("cluster", Then.REFUSE),
    "MOVED": Fault("cluster", Then.REFUSE),
    "ASK": Fault("cluster", Then.REFUSE),
    "CROSSSLOT": Fault("cluster", Then.REFUSE),
    "NOAUTH": Fault("auth", Then.HANG_UP),
    "WRONGPASS": Fault("auth", Then.HANG_UP),
    "NOPERM": Fault("auth", Then.REFUSE),
    "OOM": Fault("full", Then.REFUSE),
    "MISCONF": Fault("full", Then.REFUSE),
    "NOREPLICAS": Fault("full", Then.REFUSE),
    "WRONGTYPE": Fault("type", Then.REFUSE),
}
OTHER = Fault("other", Then.REFUSE)

KINDS = (
    TIMEOUT,
    LOST,
    UNREACHABLE,
    GARBLED,
    FLOODED,
    *sorted({fault.kind for fault in FAULTS.values()}),
    OTHER.kind,
)
"""Every metric name of an error here: the connection's own, then those of replies."""

WORD = re.compile(r"[A-Z][A-Z0-9]{1,30}")
# Before Redis 7 the errors of a script's commands came wrapped.
WRAPPED = re.compile(r"Error running script[^\n]*?: -([A-Z][A-Z0-9]{1,30}) ")


def word_of(error: Exception) -> str:
    """The first word of an error reply, or that of the command inside a script that it is about."""
    text = str(error)[:512]
    found = WORD.match(text)
    if found is None:
        return "ERR"
    if found[0] == "ERR" and (inner := WRAPPED.search(text)):
        return inner[1]
    return found[0]


def fault_of(word: str) -> Fault:
    """What an error's word means."""
    return FAULTS.get(word, OTHER)
