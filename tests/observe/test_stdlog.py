import logging
import warnings
from collections.abc import Iterator

import pytest

from gateway.catalog import Secret
from gateway.observe.lines import ConsoleLines, JsonLines, Remark
from gateway.observe.stdlog import (
    ACCESS_LOGGERS,
    SERVER_LOGGERS,
    RemarkHandler,
    configure_logging,
)
from gateway.observe.text import Scrubber

SECRET = "correct-horse-battery"
CANARIES = (SECRET, "sk-canary-1234567890", "tg-canary-1234567890", "Bearer canary1234567890")


@pytest.fixture
def said() -> Iterator[list[Remark]]:
    """What standard logging says once it is configured; afterwards it is as it was."""
    root = logging.getLogger()
    names = (*SERVER_LOGGERS, *ACCESS_LOGGERS, "py.warnings")
    loggers = [root, *map(logging.getLogger, names)]
    before = [(o.handlers.copy(), o.level, o.propagate, o.disabled) for o in loggers]
    remarks: list[Remark] = []
    configure_logging(remarks.append, "info")
    yield remarks
    logging.captureWarnings(capture=False)
    for logger, (handlers, level, propagate, disabled) in zip(loggers, before, strict=True):
        logger.handlers[:] = handlers
        logger.setLevel(level)
        logger.propagate, logger.disabled = propagate, disabled


def test_libraries_speak_through_our_log_from_the_level_on(said: list[Remark]) -> None:
    logger = logging.getLogger("some.library")

    logger.debug("too quiet")
    logger.warning("%d of %s", 3, "them")

    assert [(r.level, r.source, r.message) for r in said] == [
        ("warning", "some.library", "3 of them")
    ]
    assert said[0].when > 1_700_000_000


def test_the_server_speaks_through_our_log_and_its_access_log_is_off(said: list[Remark]) -> None:
    logging.getLogger("uvicorn.error").info("Started server process", extra={"color_message": "x"})
    logging.getLogger("uvicorn.access").info("GET /")

    assert [r.message for r in said] == ["Started server process"]


def test_handlers_others_left_behind_are_unplugged(said: list[Remark]) -> None:
    logging.getLogger().addHandler(logging.NullHandler())
    logging.getLogger("uvicorn").addHandler(logging.NullHandler())
    logging.getLogger("uvicorn").propagate = False

    configure_logging(said.append, "warning")
    logging.getLogger("uvicorn").warning("once")
    logging.getLogger("uvicorn").info("never")

    assert [r.message for r in said] == ["once"]


def test_warnings_become_lines(said: list[Remark]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        configure_logging(said.append, "info")
        warnings.warn("old ways", DeprecationWarning, stacklevel=1)

    assert [(r.level, r.source) for r in said] == [("warning", "py.warnings")]
    assert "old ways" in said[0].message


def test_a_trace_comes_along(said: list[Remark]) -> None:
    try:
        raise LookupError("no such thing")
    except LookupError:
        logging.getLogger("x").exception("it broke", stack_info=True)

    assert said[0].message == "it broke"
    assert "LookupError: no such thing" in said[0].trace
    assert "Stack (most recent call last)" in said[0].trace


def test_a_message_whose_arguments_do_not_fit_is_named_and_not_quoted() -> None:
    said: list[Remark] = []

    RemarkHandler(said.append).handle(
        logging.makeLogRecord({"name": "x", "msg": "%d %d", "args": (SECRET,)})
    )

    assert said[0].message == "a message whose arguments do not fit (TypeError)"


@pytest.mark.parametrize("canary", CANARIES)
def test_no_canary_gets_out_by_any_way_of_logging(canary: str, said: list[Remark]) -> None:
    logger = logging.getLogger("x")
    scrub = Scrubber([Secret(SECRET)])

    logger.info("as is %s", canary)
    logger.info(f"{canary}")  # noqa: G004 — what others do
    logger.info("%r", {"authorization": [canary.encode()]})
    logger.warning("%(key)s", {"key": canary})
    try:
        try:
            raise ValueError(canary)
        except ValueError as error:
            raise RuntimeError(f"because {canary}") from error
    except RuntimeError:
        logger.exception("failed with %s", canary)

    spellers = (JsonLines(scrub), ConsoleLines(scrub, colour=True))
    lines = b"".join(speller.remark(remark) for speller in spellers for remark in said)
    assert len(said) == 5
    assert canary.removeprefix("Bearer ").encode() not in lines
    assert lines.count(b"***") >= 12
