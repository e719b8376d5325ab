"""The tracing that the settings ask for, and the way to its collector."""

from gateway.catalog import Deployment, Model, Secret
from gateway.clock import SystemClock
from gateway.errors import GatewayError
from gateway.money import FREE
from gateway.observe.tracing import Send, Tracing, Wanted
from gateway.ports import Deadlines, Request, Upstream
from gateway.prices import Price
from gateway.settings.schema import Settings

PATH = "/v1/traces"
DEADLINES = Deadlines(connect=3.0, first_byte=10.0, idle=10.0, total=10.0)
MAX_REPLY = 64 * 1024


def tracing(settings: Settings, clock: SystemClock, upstream: Upstream) -> Tracing | None:
    """The tracing; None where no collector is named."""
    said = settings.tracing
    if said.endpoint is None:
        return None
    resource = {"service.name": said.service, **said.attributes}
    wanted = Wanted(said.sample, said.content, resource)
    url = said.endpoint.removesuffix(PATH)
    return Tracing(_sender(url, said.headers, upstream), clock, wanted)


def _sender(url: str, headers: dict[str, Secret], upstream: Upstream) -> Send:
    nothing = Model("otlp", Price(FREE, FREE, FREE), 1, 1)
    # A name that no deployment can have: it holds a space.
    collector = Deployment(
        "collector of traces", nothing, url, Secret(""), headers=tuple(headers.items())
    )

    async def send(body: bytes) -> int:
        request = Request(collector, PATH, (), body, stream=False, deadlines=DEADLINES)
        try:
            reply = await upstream.send(request)
            await reply.read(MAX_REPLY)
        except GatewayError:
            return 0
        return reply.status

    return send
