"""Callers who would fill the memory of whoever scrapes: names nobody has met, wherever one fits."""

import re
import time
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.boards.traffic import PATH

NAMES = 10_000
CALLERS = 4
SERIES = 2_000
SCRAPE_SECONDS = 0.05
SCRAPES = 8
# A page is served for a second.
FRESH_AFTER = 1.05


def complaints(gateway: httpx.Client) -> tuple[str, list[str]]:
    """What was measured, and what broke the law of series and scrapes."""
    with ThreadPoolExecutor(CALLERS) as callers:
        list(callers.map(lambda number: _call(gateway, number), range(NAMES)))
    before, _, _ = _scraped(gateway)
    pages = [_scraped(gateway) for _ in range(SCRAPES)]
    after, _, page = pages[-1]
    # Of the process's own time: how long it takes besides says how busy the machine is.
    took = (after - before) / SCRAPES
    wall = min(seconds for _, seconds, _ in pages)
    series = [line for line in page.splitlines() if line and not line.startswith("#")]
    told = f"{len(series)} series after {NAMES} hostile names; a scrape takes "
    told += f"{took * 1000:.0f} ms of the processor, {wall * 1000:.0f} ms in all"
    problems = []
    if len(series) > SERIES:
        problems.append(f"more than {SERIES} series: {told}")
    if took > SCRAPE_SECONDS:
        problems.append(f"dearer than {SCRAPE_SECONDS} s: {told}")
    if "evil" in page:
        problems.append("a name of a client is a label")
    return told, problems


def _call(gateway: httpx.Client, number: int) -> None:
    name = f"evil-{number}-{'x' * (number % 50)}"
    headers = {"x-session-id": name, "user-agent": name, "authorization": f"Bearer tg-{name}"}
    # Most are refused at the door: the dear part would be the answers, which have no names.
    body = {
        "model": name,
        "user": name,
        "prompt_cache_key": name,
        "metadata": {name: name},
        "messages": [{"role": "user", "content": name, "name": name}],
    }
    if number % 10 == 0:
        body["model"] = "auto"
        headers.pop("authorization")
    gateway.post(PATH, json=body, headers=headers)


def _scraped(gateway: httpx.Client) -> tuple[float, float, str]:
    """The processor's seconds until a fresh page, how long that took, the page."""
    time.sleep(FRESH_AFTER)
    began = time.perf_counter()
    page = gateway.get("/metrics").text
    took = time.perf_counter() - began
    spent = re.search(r"^process_cpu_seconds_total (\S+)$", page, re.MULTILINE)
    assert spent is not None
    return float(spent[1]), took, page
