"""What the stack with one gateway promises, in the order it is tried; each tells its figures."""

import json
import time
from collections.abc import Callable

from tests.compose.stack import PASSWORD, Stack, eventually
from tests.compose.standins import size, wanted

START_SECONDS = 60
# With the base (python:3.13-slim, about 120 MB) an image stays below 200 MB.
OWN_BYTES = 75 * 10**6
SERVICES = ("gateway", "redis", "prometheus", "grafana")
LOOPBACK = "127.0.0.1"
STORY = "Write a long story about a lighthouse keeper and the sea."
# A redis-cli that proves who it is by its environment, as the health check does.
REDIS = ("sh", "-c", 'REDISCLI_AUTH="$REDIS_PASSWORD" exec redis-cli "$@"', "redis-cli")

Check = Callable[[Stack], str]


def starts(stack: Stack) -> str:
    """Up and healthy in time, from images that are there."""
    took = stack.up()

    assert took <= START_SECONDS, f"healthy only after {took:.1f} s"
    for service in SERVICES:
        (container,) = stack.containers(service)
        assert stack.inspect(container)["State"]["Health"]["Status"] == "healthy", service
    return f"healthy after {took:.1f} s"


def is_small(stack: Stack) -> str:
    """The image's own layers are small."""
    base = next(image for image in wanted() if image.startswith("python:"))
    own = size(stack.engine, "tiergate:local") - size(stack.engine, base)

    assert own <= OWN_BYTES, f"{own / 1e6:.0f} MB of our own"
    return f"{own / 1e6:.0f} MB of our own layers"


def is_confined(stack: Stack) -> str:
    """Nobody is root, nothing is writable but volumes and /tmp, ports are on loopback."""
    for service in SERVICES:
        (container,) = stack.containers(service)
        told = stack.inspect(container)
        host = told["HostConfig"]
        assert told["Config"]["User"] not in ("", "0", "root"), f"{service} runs as root"
        assert host["ReadonlyRootfs"], f"{service}: its root is writable"
        assert host["CapDrop"] == ["ALL"], f"{service} keeps capabilities"
        assert host["SecurityOpt"] == ["no-new-privileges:true"], service
        assert host["Memory"] > 0, f"{service}: no memory limit"
        assert host["PidsLimit"] > 0, f"{service}: no limit of processes"
        for bound in (told["NetworkSettings"]["Ports"] or {}).values():
            assert all(each["HostIp"] == LOOPBACK for each in bound or ()), service
        secrets = json.dumps([told["Args"], told["Config"]["Cmd"], told["Config"]["Labels"]])
        assert PASSWORD not in secrets, f"{service}: its arguments hold the password"
    (redis,) = stack.containers("redis")
    assert not stack.inspect(redis)["HostConfig"]["PortBindings"], "redis is published"
    assert stack.execute("gateway", "id", "-u").strip() == "10001"
    return "four services, none root"


def answers(stack: Stack) -> str:
    """A call through the published port is routed, and said to be simulated."""
    reply = stack.call("Hello!")

    assert reply.status == 200, reply.body
    assert reply.headers["x-tiergate-simulated"] == "1"
    logs = stack.compose("logs", "--no-log-prefix", "gateway")
    assert "answers are SIMULATED" in logs
    return f"{reply.headers['x-gateway-tier']}: {reply.headers['x-gateway-reason']}"


def streams(stack: Stack) -> str:
    """A stream comes piece by piece and ends with [DONE]."""
    began = time.perf_counter()
    pieces = list(stack.stream(STORY, temperature=1).pieces())

    first, last = pieces[0][0] - began, pieces[-1][0] - began
    assert pieces[-1][1].endswith(b"data: [DONE]\n\n")
    assert len(pieces) > 10
    assert last > 1.5 * first, "the stream came all at once"
    return f"{len(pieces)} pieces, the first after {first:.2f} s, the last after {last:.2f} s"


def shows_its_page(stack: Stack) -> str:
    """The page is there for a browser on this machine; its figures ask for the admin key."""
    page = stack.get("TIERGATE_PORT", "/ui/")
    catalog = "/admin/v1/catalog"
    locked = stack.get("TIERGATE_PORT", catalog)
    opened = stack.get("TIERGATE_PORT", catalog, authorization="Bearer tiergate-on-loopback")

    assert b"<title>Tiergate</title>" in page.body
    assert locked.status == 401
    assert opened.json()["simulated"] is True
    return f"{len(page.body)} bytes, and the key is asked for"


def redis_is_locked(stack: Stack) -> str:
    """Redis asks for its password and keeps a log on disk."""
    assert "NOAUTH" in stack.execute("redis", "redis-cli", "ping")
    assert stack.execute("redis", *REDIS, "ping").strip() == "PONG"
    assert stack.execute("redis", *REDIS, "config", "get", "appendonly").split()[-1] == "yes"
    return "password asked, append-only log on"


def is_watched(stack: Stack) -> str:
    """Prometheus reads the gateway's figures and its rules; Grafana has its boards."""
    reply = stack.call("What is inflation?", temperature=1)
    counted = eventually(
        lambda: stack.figure('sum(gateway_requests_total{outcome="ok"})'), "calls in Prometheus"
    )
    rules = stack.get("PROMETHEUS_PORT", "/api/v1/rules").json()["data"]["groups"]
    unwell = [r["name"] for group in rules for r in group["rules"] if r["health"] == "err"]
    boards = stack.execute("grafana", "ls", "/etc/grafana/boards").split()

    assert reply.status == 200
    assert rules
    assert not unwell, unwell
    assert stack.get("GRAFANA_PORT", "/api/health").json()["database"] == "ok"
    assert "overview.json" in boards
    watched = sum(len(group["rules"]) for group in rules)
    return f"{counted:.0f} calls seen, {watched} rules, {len(boards)} boards"


def outlives_redis(stack: Stack) -> str:
    """With Redis killed, calls are answered; when it is back, all is well again."""
    before = _slowest(stack, 10)
    stack.compose("kill", "redis")
    killed = _slowest(stack, 30)
    stack.compose("start", "redis")
    (container,) = stack.containers("redis")
    eventually(
        lambda: stack.inspect(container)["State"]["Health"]["Status"] == "healthy", "redis is back"
    )
    after = _slowest(stack, 10)

    return f"slowest call {before:.2f} s before, {killed:.2f} s without Redis, {after:.2f} s after"


def _slowest(stack: Stack, calls: int) -> float:
    slowest = 0.0
    for number in range(calls):
        began = time.perf_counter()
        reply = stack.call(f"Is {number} even?", max_tokens=3, temperature=1)
        assert reply.status == 200, reply.body
        slowest = max(slowest, time.perf_counter() - began)
    return slowest


def stops_gently(stack: Stack) -> str:
    """A stream in flight ends whole when the gateway is told to stop, and it exits with 0."""
    streaming = stack.stream(STORY, temperature=1)
    streaming.first()
    (container,) = stack.containers("gateway")
    began = time.perf_counter()
    stack.engine.docker("kill", "--signal", "TERM", container)
    rest = streaming.rest()
    took = time.perf_counter() - began

    assert rest.endswith(b"data: [DONE]\n\n"), rest[-200:]
    ended = eventually(lambda: _ended(stack, container), "the gateway has stopped")
    assert ended == "0", f"exit code {ended}"
    stack.up()
    return f"the stream ended {took:.2f} s after the signal"


def _ended(stack: Stack, container: str) -> str | None:
    state = stack.inspect(container)["State"]
    return None if state["Running"] else str(state["ExitCode"])


def remembers(stack: Stack) -> str:
    """What was kept is there after down and up."""
    stack.execute("redis", *REDIS, "set", "kept:by:the:proof", "yes")
    stack.execute("gateway", "python", "-c", "open('/data/kept', 'w').write('yes')")
    spent = _spent(stack)
    assert stack.call("Remember this.", temperature=1).status == 200
    eventually(lambda: stack.figure("sum(gateway_requests_total)"), "figures from before")
    stack.down()
    down = time.perf_counter()
    took = stack.up()
    value = stack.execute("redis", *REDIS, "get", "kept:by:the:proof").strip()
    file = stack.execute("gateway", "python", "-c", "print(open('/data/kept').read())").strip()
    past = eventually(
        lambda: stack.figure(f"max(max_over_time(gateway_requests_total[5m] {_ago(down)}))"),
        "figures from before, after",
    )

    assert (value, file) == ("yes", "yes")
    assert past >= 1
    assert spent["calls"] > 0
    assert _spent(stack)["calls"] >= spent["calls"]
    return f"healthy again after {took:.1f} s; the records of {spent['calls']} calls are there"


def _spent(stack: Stack) -> dict[str, int]:
    """What the records of spend add up to."""
    told: dict[str, int] = json.loads(stack.execute("gateway", "tiergate", "spend", "--json"))[
        "total"
    ]
    return told


def _ago(moment: float) -> str:
    """PromQL's word for a moment that is past, in whole seconds."""
    return f"offset {round(time.perf_counter() - moment)}s"


def demonstrates(stack: Stack) -> str:
    """The profile `demo` sends traffic to the gateway."""
    stack.up("demo")
    counted = eventually(
        lambda: (stack.figure("sum(gateway_requests_total)") or 0) // 60, "60 calls of the demo", 60
    )
    tiers = stack.figure('count(sum by (tier) (gateway_routed_total{reason!="none"}) > 0)')
    stack.compose("rm", "--stop", "--force", "demo", profiles=("demo",))

    assert counted
    assert tiers == 3
    return "all three tiers have calls"


ONE_GATEWAY: tuple[Check, ...] = (
    starts,
    is_small,
    is_confined,
    answers,
    streams,
    redis_is_locked,
    shows_its_page,
    is_watched,
    outlives_redis,
    stops_gently,
    remembers,
    demonstrates,
)
