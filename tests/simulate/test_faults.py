"""Faults, as they look on a real socket."""

import json
from typing import Any

import openai
import pytest

from gateway.simulate.faults import parse, unmarked
from tests.simulate.world import HandClock, Raw, chat, events, send, serving, simulation


def faulty(port: int, kind: str, **fields: Any) -> Raw:
    return chat(port, text=f"Explain entropy. [[fault:{kind}]]", **fields)


def test_a_status_is_an_error_reply(port: int) -> None:
    busy = faulty(port, "status=429 retry-after=1.5")
    down = faulty(port, "status=503", stream=True)
    odd = faulty(port, "status=418 retry-after=soon")

    assert busy.status == 429
    assert json.loads(busy.body)["error"]["code"] == "rate_limit_exceeded"
    assert (busy.header("retry-after"), busy.header("retry-after-ms")) == ("2", "1500")
    assert down.status == 503
    assert down.header("content-type") == "application/json"
    assert json.loads(down.body)["error"]["type"] == "server_error"
    assert odd.header("retry-after") == "1"
    assert down.header("x-tiergate-simulated") == "1"


def test_slow_waits_real_seconds_whatever_the_speed() -> None:
    clock = HandClock()
    with serving(simulation(clock)) as port:
        raw = faulty(port, "slow=5")

    assert raw.status == 200
    assert clock.slept == [5.0]


def test_a_stalled_stream_stays_open_and_silent(port: int) -> None:
    raw = faulty(port, "stall after=2", stream=True)

    assert not raw.closed
    assert len(events(raw)) == 2
    assert not raw.body.endswith(b"0\r\n\r\n")


def test_a_stalled_reply_stops_in_the_middle(port: int) -> None:
    raw = faulty(port, "stall")

    assert not raw.closed
    assert 0 < len(raw.body) < int(raw.header("content-length") or 0)


def test_a_cut_stream_is_closed_without_an_end(port: int) -> None:
    raw = faulty(port, "cut", stream=True)

    assert raw.closed
    assert len(events(raw)) == 3
    assert b"[DONE]" not in raw.body
    assert not raw.body.endswith(b"0\r\n\r\n")


def test_a_cut_reply_is_shorter_than_announced(port: int) -> None:
    raw = faulty(port, "cut")

    assert raw.closed
    assert 0 < len(raw.body) < int(raw.header("content-length") or 0)


def test_a_silent_stream_ends_cleanly_and_unfinished(port: int) -> None:
    raw = faulty(port, "silent after=4", stream=True)
    whole = faulty(port, "silent")

    assert len(events(raw)) == 4
    assert raw.body.endswith(b"0\r\n\r\n")
    assert b'"finish_reason":"stop"' not in raw.body
    assert whole.body.endswith(b"0\r\n\r\n")


def test_truncated_json_ends_inside_a_document(port: int) -> None:
    streamed = faulty(port, "truncate_json after=0", stream=True)
    whole = faulty(port, "truncate_json")

    for raw in (streamed, whole):
        assert raw.status == 200
        assert raw.body.endswith(b"0\r\n\r\n")
    with pytest.raises(json.JSONDecodeError):
        events(streamed)


def test_html_garbage_and_nothing_come_with_status_200(port: int) -> None:
    html = faulty(port, "html", stream=True)
    garbage = faulty(port, "garbage")
    empty = faulty(port, "empty", stream=True)

    assert [raw.status for raw in (html, garbage, empty)] == [200, 200, 200]
    assert html.header("content-type") == "text/html; charset=utf-8"
    assert html.body.startswith(b"<!doctype html>")
    with pytest.raises(UnicodeDecodeError):
        garbage.body.decode()
    assert empty.header("content-type") == "text/event-stream; charset=utf-8"
    assert empty.header("content-length") == "0"
    assert empty.body == b""


def test_an_error_event_comes_in_the_stream(port: int) -> None:
    *chunks, failed = events(faulty(port, "error_event after=2", stream=True))
    whole = faulty(port, "error_event")

    assert len(chunks) == 2
    assert failed["error"]["type"] == "server_error"
    assert whole.status == 200
    assert json.loads(whole.body) == failed


def test_a_dropped_call_gets_no_byte(port: int) -> None:
    raw = faulty(port, "drop")

    assert raw.closed
    assert raw.head == raw.body == b""


def test_the_client_library_sees_faults_as_its_own_exceptions(client: openai.OpenAI) -> None:
    def say(kind: str) -> Any:
        messages: Any = [{"role": "user", "content": f"Hello [[fault:{kind}]]"}]
        return client.chat.completions.create(model="small", messages=messages, stream=True)

    with pytest.raises(openai.InternalServerError):
        say("status=500")
    with pytest.raises(openai.APIConnectionError):
        say("drop")
    with pytest.raises(openai.APIError, match="The server had an error"):
        list(say("error_event"))
    assert len(list(say("silent after=2"))) == 2


def test_a_marker_can_spare_the_other_models(port: int) -> None:
    struck = faulty(port, "status=500 model=small")
    spared = faulty(port, "status=500 model=large")

    assert (struck.status, spared.status) == (500, 200)


@pytest.mark.parametrize(
    "kind", ["", "status", "status=200", "status=x", "earthquake", "stall" + " " * 300]
)
def test_a_marker_that_means_nothing_does_nothing(port: int, kind: str) -> None:
    assert faulty(port, kind).status == 200


def test_only_the_first_question_is_looked_at(port: int) -> None:
    marked = {"role": "user", "content": "[[fault:status=500]]"}
    plain = {"role": "user", "content": "Hi"}

    assert chat(port, messages=[plain, marked]).status == 200
    assert chat(port, messages=[marked, plain]).status == 500


def test_answers_do_not_speak_of_markers() -> None:
    assert unmarked("a [[fault:slow=1]]b[[fault:cut]]") == "a b"
    assert unmarked("a [[fault:slow") == "a [[fault:slow"


def test_a_number_no_one_can_read_is_the_usual_number() -> None:
    fault = parse("stall after=soon")

    assert fault is not None
    assert fault.after == 3


def control(port: int, method: str = "POST", body: object = None) -> Any:
    raw = send(port, method, "/simulate/faults", body)
    return raw.status, json.loads(raw.body)


def test_the_next_calls_fail_and_then_no_more() -> None:
    with serving(simulation()) as port:
        rule = {"kind": "status=500", "next": 2, "model": "small"}
        status, standing = control(port, body=rule)
        statuses = [chat(port, model=each).status for each in ("large", *["small"] * 3)]
        _, after = control(port, "GET")

    assert status == 200
    assert standing["data"] == [{**rule, "rate": 0}]
    assert statuses == [200, 500, 500, 200]
    assert after["data"] == []


def test_a_share_of_the_calls_fails_until_the_rule_is_lifted() -> None:
    with serving(simulation()) as port:
        control(port, body={"kind": "status=503", "rate": 0.5})
        statuses = [chat(port, text="Hi").status for _ in range(40)]
        control(port, "DELETE")
        after = chat(port, text="Hi").status

    assert 8 <= statuses.count(503) <= 32
    assert set(statuses) == {200, 503}
    assert after == 200


@pytest.mark.parametrize(
    "body",
    [
        [1],
        {"kind": "earthquake", "next": 1},
        {"next": 1},
        {"kind": "cut"},
        {"kind": "cut", "next": 1, "rate": 0.5},
        {"kind": "cut", "next": -1},
        {"kind": "cut", "next": True},
        {"kind": "cut", "rate": 2},
        {"kind": "cut", "rate": "often"},
        {"kind": "cut", "next": 1, "model": 3},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(port: int, body: object) -> None:
    status, answer = control(port, body=body)

    assert status == 400
    assert answer["error"]["type"] == "invalid_request_error"
