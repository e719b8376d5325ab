"""The demonstration's display."""

import io

from rich.console import Console

from gateway.cli.show import LAST_CALLS, Show, Totals
from gateway.simulate.drive import Seen


def seen(tier: str = "nano", *, status: int = 200, cache: str = "miss", cost: float = 0.01) -> Seen:
    return Seen(
        prompt="Hello!",
        status=status,
        tier=tier,
        model="gpt-4.1-nano",
        reason="adequate",
        cache=cache,
        cost=cost,
        saved=0.03,
        overhead_ms=0.5,
        seconds=0.2,
        stream=False,
    )


def test_totals_add_up() -> None:
    totals = Totals()
    for each in (seen(), seen("mini", cache="hit"), seen("none", status=503)):
        totals.add(each)

    assert (totals.calls, totals.failed) == (3, 1)
    assert totals.tiers["mini"] == totals.caches["hit"] == 1
    assert round(totals.cost, 6) == 0.03
    assert totals.median_overhead() == 0.5
    assert Totals().median_overhead() == 0.0


def test_a_terminal_sees_a_live_table_with_the_last_calls() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=120)
    with Show(console, "http://127.0.0.1:8080") as tell:
        for _ in range(LAST_CALLS + 3):
            tell(seen("full", cache="shared"))
        tell(seen("none", status=503))

    text = out.getvalue()
    assert "SIMULATED" in text
    assert "100%" not in text
    assert "(shared)" in text
    assert "status 503" in text
    assert "curl http://127.0.0.1:8080/v1/chat/completions" in text


def test_elsewhere_each_call_is_a_line_and_the_sums_come_last() -> None:
    out = io.StringIO()
    with Show(Console(file=out, force_terminal=False, width=80), "http://[::1]:1") as tell:
        tell(seen())

    lines = out.getvalue().splitlines()
    assert any(line.startswith("nano") and "Hello!" in line for line in lines)
    assert any("1 calls, 0 failed" in line for line in lines)


def test_no_calls_are_no_division_by_nothing() -> None:
    out = io.StringIO()
    with Show(Console(file=out, force_terminal=False, width=80), "http://x"):
        pass

    assert "0 calls" in out.getvalue()
