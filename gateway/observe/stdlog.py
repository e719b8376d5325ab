"""The standard library's logging, made to speak through our log.

Whatever the server, the libraries and Python's warnings have to say comes out in the same format,
through the same scrubber, so there is no second way by which a key could leave. Access logs are
switched off: a call has its own line, and theirs costs a third of a call.
"""

import logging
from collections.abc import Callable
from typing import Final

from gateway.observe.lines import Remark

SERVER_LOGGERS: Final = ("uvicorn", "uvicorn.error", "uvicorn.asgi")
ACCESS_LOGGERS: Final = ("uvicorn.access",)

UNSPEAKABLE: Final = (TypeError, ValueError, LookupError, AttributeError, RecursionError)
"""What goes wrong when a message and its arguments do not fit."""


class RemarkHandler(logging.Handler):
    """Turns log records into remarks and hands them on; never writes, never blocks."""

    def __init__(self, remark: Callable[[Remark], object]) -> None:
        super().__init__()
        self._remark = remark
        self._formatter = logging.Formatter()

    def emit(self, record: logging.LogRecord) -> None:
        """Hand a record on; one that cannot be spelled is named, not quoted."""
        try:
            message = record.getMessage()
        except UNSPEAKABLE as error:
            message = f"a message whose arguments do not fit ({type(error).__name__})"
        trace = self._formatter.formatException(record.exc_info) if record.exc_info else ""
        if record.stack_info:
            trace = f"{trace}\n{record.stack_info}".strip()
        level = record.levelname.lower()
        self._remark(Remark(record.created, level, record.name, message, trace))


def configure_logging(remark: Callable[[Remark], object], level: str) -> None:
    """Send all of standard logging, and warnings, to `remark`; everything else is unplugged.

    Args:
        remark: Usually `CallLog.remark`.
        level: The least severe level let through, such as `info`.
    """
    root = logging.getLogger()
    for handler in root.handlers.copy():
        root.removeHandler(handler)
    root.addHandler(RemarkHandler(remark))
    root.setLevel(level.upper())
    for name in SERVER_LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.NOTSET)
    for name in ACCESS_LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = False
        logger.disabled = True
    logging.captureWarnings(capture=True)
