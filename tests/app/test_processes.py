"""The commands as a person runs them: real processes, real signals."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

OURS = ("OPENAI_", "GATEWAY_")
ENVIRON = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
ENVIRON |= {"GATEWAY_STORE_DATA": "memory"}
FAST = {**ENVIRON, "GATEWAY_SERVER_PORT": "0", "GATEWAY_SIMULATE_SPEED": "0"}


@contextmanager
def started(*arguments: str, environ: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "gateway", *arguments],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def address(process: subprocess.Popen[str], heard: list[str] | None = None) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if heard is not None:
            heard.append(line)
        if found := re.search(r"listening on (http://[0-9.:]+)", line):
            return found[1]
    raise AssertionError(process.communicate()[1])


def test_serve_answers_says_that_it_simulates_and_stops_cleanly_on_sigterm() -> None:
    heard: list[str] = []
    with started("serve", environ=FAST) as process:
        url = address(process, heard)
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{url}/v1/chat/completions",
            json.dumps({"model": "auto", "messages": [{"role": "user", "content": "Hi"}]}).encode(),
            {"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310 - loopback
            assert "[simulated]" in json.load(reply)["choices"][0]["message"]["content"]
        process.send_signal(signal.SIGTERM)
        assert process.stdout is not None
        assert process.stderr is not None
        log, complaints = process.stdout.read(), process.stderr.read()
        process.wait(timeout=20)

    lines = [json.loads(line) for line in [*heard, *log.splitlines()]]
    assert process.returncode == 0
    assert any("SIMULATED" in line.get("message", "") for line in lines)
    assert [line["tier"] for line in lines if line["event"] == "call"] == ["nano"]
    assert complaints == ""


def test_serving_at_a_taken_address_is_one_sentence_and_exit_1() -> None:
    with started("serve", environ=FAST) as first:
        port = address(first).rpartition(":")[2]
        second = subprocess.run(
            [sys.executable, "-m", "gateway", "serve"],
            env={**FAST, "GATEWAY_SERVER_PORT": port},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    assert second.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in second.stderr
    assert "Traceback" not in second.stderr


def test_the_demo_shows_calls_sums_and_what_to_try_next() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "gateway", "demo", "--seconds", "1.5", "--rate", "30"],
        env=FAST,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert "SIMULATED" in ended.stdout
    assert "against always-full" in ended.stdout
    assert "Try next" in ended.stdout
    assert len(re.findall(r"^(?:nano|mini|full) +\d", ended.stdout, re.MULTILINE)) > 10


def test_the_demo_can_be_sent_to_a_gateway_that_runs() -> None:
    with started("serve", environ=FAST) as gateway:
        url = address(gateway)
        ended = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "gateway", "demo", "--url", url, "--seconds", "0.5"],
            env=FAST,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert ended.returncode == 0, ended.stderr
    assert "against always-full" in ended.stdout


def test_route_explains_without_a_key() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "gateway", "route", "--json", "Hello!"],
        env=ENVIRON,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    explained = json.loads(ended.stdout)
    assert (explained["tier"], explained["model"]) == ("nano", "gpt-4.1-nano")
    assert [c["tier"] for c in explained["candidates"]] == ["nano", "mini", "full"]
