import re
from decimal import Decimal

import orjson
import pytest
from hypothesis import given, strategies as st

from gateway.call import Usage
from gateway.catalog import Secret
from gateway.money import NanoUSD
from gateway.observe.lines import (
    CALLS_REMEMBERED,
    NAME_LENGTH,
    ConsoleLines,
    Format,
    JsonLines,
    Remark,
    Timestamps,
    level_of,
    spelling,
)
from gateway.observe.text import Scrubber
from tests.observe.events import an_ended

SECRET = "correct-horse-battery"
scrub = Scrubber([Secret(SECRET)])
CANARIES = (SECRET, "sk-canary-1234567890", "tg-canary-1234567890", "Bearer canary1234567890")
WHEN = 1_790_000_000.25


def test_a_call_in_json_says_what_happened_and_what_it_cost() -> None:
    line = JsonLines(scrub).call(WHEN, an_ended(stream=True, ttft=0.123_456_7))

    assert line.endswith(b"}\n")
    assert orjson.loads(line) == {
        "ts": "2026-09-21T14:13:20.250Z",
        "level": "info",
        "event": "call",
        "request_id": "call-1",
        "requested_model": "auto",
        "routed_model": "gpt-4.1-nano",
        "response_model": "gpt-4.1-nano-2025-04-14",
        "tier": "nano",
        "reason": "adequate",
        "outcome": "ok",
        "status": 200,
        "stream": True,
        "cache": "miss",
        "prompt_tokens": 100,
        "prompt_tokens_estimate": 101,
        "cached_tokens": 60,
        "completion_tokens": 40,
        "reasoning_tokens": 10,
        "usage_estimated": False,
        "cost_usd": 0.0000215,
        "saved_usd": 0.0004085,
        "attempts": 1,
        "score": 0.25,
        "duration_ms": 800.0,
        "ttft_ms": 123.457,
        "overhead_ms": 0.2,
        "upstream_request_id": "req_1",
    }


def test_money_in_json_is_exact_however_large() -> None:
    line = JsonLines(scrub).call(WHEN, an_ended(cost=NanoUSD(12_345_678_901_234_567_891)))

    spelled = re.search(rb'"cost_usd":([^,]+),', line)
    assert spelled
    assert Decimal(spelled[1].decode()) == Decimal("12345678901.234567891")


def test_what_a_call_never_had_is_null() -> None:
    line = JsonLines(scrub).call(
        WHEN,
        an_ended(tier=None, model="", response_model="", upstream_request_id="", status=400),
    )

    said = orjson.loads(line)
    assert said["tier"] is said["routed_model"] is said["response_model"] is None
    assert said["upstream_request_id"] is None


@pytest.mark.parametrize(
    ("status", "outcome", "level"),
    [
        (200, "ok", "info"),
        (200, "caller_left", "info"),
        (200, "upstream_truncated", "warning"),
        (400, "caller_malformed", "warning"),
        (502, "upstream_broken", "error"),
        (200, "gateway_internal", "error"),
    ],
)
def test_the_level_says_whose_trouble_it_is(status: int, outcome: str, level: str) -> None:
    assert level_of(an_ended(status=status, outcome=outcome)) == level


def test_a_call_on_the_console_is_one_line_of_what_people_ask_first() -> None:
    plain = ConsoleLines(scrub, colour=False)

    line = plain.call(WHEN, an_ended())
    failed = plain.call(
        WHEN,
        an_ended(
            status=504,
            outcome="upstream_timeout",
            tier=None,
            model="",
            saved=NanoUSD(0),
            usage=Usage(0, 0),
            attempts=3,
            ttft=0.2,
            stream=True,
        ),
    )

    assert line.decode() == (
        "14:13:20.250  200  auto → nano gpt-4.1-nano  (adequate, miss)  100+40 tokens  $0.0000215  "
        "saved $0.0004085  800 ms  own 0.20  call-1\n"
    )
    assert failed.decode() == (
        "14:13:20.250  504  auto → none  (adequate, miss)  0+0 tokens  $0.0000215  "
        "800 ms, first 200  own 0.20  3 attempts  upstream_timeout  call-1\n"
    )


def test_colours_are_for_terminals_and_follow_the_level() -> None:
    coloured = ConsoleLines(scrub, colour=True)

    assert b"\x1b[32m200\x1b[0m" in coloured.call(WHEN, an_ended())
    assert b"\x1b[33m400\x1b[0m" in coloured.call(WHEN, an_ended(status=400, outcome="caller_x"))
    assert b"\x1b[31m500\x1b[0m" in coloured.call(WHEN, an_ended(status=500, outcome="gateway_x"))
    assert b"\x1b" not in ConsoleLines(scrub, colour=False).call(WHEN, an_ended())


@pytest.mark.parametrize("form", [Format.JSON, Format.CONSOLE])
@pytest.mark.parametrize("canary", CANARIES)
def test_no_canary_gets_out_in_any_field_or_format(form: Format, canary: str) -> None:
    speller = spelling(form, scrub, terminal=False)
    padding = "x " * (NAME_LENGTH // 2 - 4)

    lines = speller.call(
        WHEN,
        an_ended(
            id=f"id {canary}",
            requested=padding + canary,
            model=f"({canary})",
            response_model=f"m {canary}",
            upstream_request_id=canary,
        ),
    )
    lines += speller.remark(Remark(WHEN, "error", "x", f"no {canary}!", f"Trace\n  {canary}\nend"))

    secret = canary.removeprefix("Bearer ").encode()
    assert secret not in lines
    # Neither is half of one, where the field ended.
    assert secret[:10] not in lines


@pytest.mark.parametrize("form", [Format.JSON, Format.CONSOLE])
def test_hostile_names_forge_no_line(form: Format) -> None:
    speller = spelling(form, scrub, terminal=False)
    hostile = 'x\n{"event":"call"}\r\x1b[31m\u2028\ud800'

    call = speller.call(
        WHEN,
        an_ended(requested=hostile, response_model=hostile, upstream_request_id=hostile),
    )
    remark = speller.remark(Remark(WHEN, "info", hostile, hostile))

    for line in (call, remark):
        assert len(line.decode().splitlines()) == 1
        assert b"\x1b" not in line


def test_a_name_as_long_as_a_book_is_cut() -> None:
    line = JsonLines(scrub).call(WHEN, an_ended(requested="m" * 1_000_000))

    assert orjson.loads(line)["requested_model"] == "m" * NAME_LENGTH


def test_a_remark_in_json_keeps_its_trace_in_one_line() -> None:
    line = JsonLines(scrub).remark(Remark(WHEN, "error", "gateway", "it broke\nhere", "a\n  b"))

    assert line.count(b"\n") == 1
    assert orjson.loads(line) == {
        "ts": "2026-09-21T14:13:20.250Z",
        "level": "error",
        "event": "log",
        "logger": "gateway",
        "message": "it broke\nhere",
        "exception": "a\n  b",
    }
    assert b"exception" not in JsonLines(scrub).remark(Remark(WHEN, "info", "x", "fine"))


def test_a_remark_on_the_console_indents_its_trace() -> None:
    line = ConsoleLines(scrub, colour=False).remark(
        Remark(WHEN, "warning", "gateway", "it broke\n", "a\n14:13:20.250  200  forged")
    )

    assert line.decode() == (
        "14:13:20.250  warning  it broke  gateway\n    | a\n    | 14:13:20.250  200  forged\n"
    )


@pytest.mark.parametrize(
    ("form", "terminal", "kind"),
    [
        (Format.JSON, True, JsonLines),
        (Format.CONSOLE, False, ConsoleLines),
        (Format.AUTO, True, ConsoleLines),
        (Format.AUTO, False, JsonLines),
    ],
)
def test_auto_is_for_people_on_a_terminal(form: Format, terminal: bool, kind: type) -> None:
    assert type(spelling(form, scrub, terminal=terminal)) is kind


def test_instants_are_spelled_right_within_and_across_seconds() -> None:
    spell = Timestamps()

    assert [spell(when) for when in (0.0, 0.999, 1.0, 1_790_000_000.001, 0.5)] == [
        "1970-01-01T00:00:00.000Z",
        "1970-01-01T00:00:00.999Z",
        "1970-01-01T00:00:01.000Z",
        "2026-09-21T14:13:20.001Z",
        "1970-01-01T00:00:00.500Z",
    ]


def test_words_that_were_spelled_before_are_spelled_alike_and_forgotten_in_time() -> None:
    lines = JsonLines(scrub)
    names = [f"model-{number}" for number in range(CALLS_REMEMBERED + 3)]
    first = [lines.call(WHEN, an_ended(requested=name)) for name in names]
    again = [lines.call(WHEN, an_ended(requested=name)) for name in names]

    assert again == first
    assert len(lines._known) <= CALLS_REMEMBERED
    assert b'"requested_model":"model-7"' in first[7]


@given(
    name=st.text(max_size=20),
    number=st.floats(0, 1e6),
    tokens=st.integers(0, 10**9),
    estimated=st.booleans(),
)
def test_every_line_is_json(name: str, number: float, tokens: int, *, estimated: bool) -> None:
    usage = Usage(tokens, 1, estimated=estimated)
    ended = an_ended(id=name, upstream_request_id=name, seconds=number, score=number, usage=usage)

    read = orjson.loads(JsonLines(scrub).call(WHEN, ended))

    assert read["duration_ms"] == round(number * 1000, 3)
    assert read["score"] == round(number, 4)
    assert (read["prompt_tokens"], read["usage_estimated"]) == (tokens, estimated)
    assert read["request_id"] == read["upstream_request_id"]
