"""The tracing that the settings ask for, and the way to its collector."""

from json import loads

from gateway import __version__
from gateway.catalog import Deployment, Model, Secret
from gateway.clock import SystemClock
from gateway.errors import GatewayError
from gateway.money import FREE
from gateway.observe.tracing import Send, Taken, Tracing, Wanted
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
    resource = {"service.name": said.service, "service.version": __version__, **said.attributes}
    if "service" in said.model_fields_set:
        resource["service.name"] = said.service
    wanted = Wanted(said.sample, said.follow, said.content, resource)
    url = said.endpoint.removesuffix(PATH)
    return Tracing(_sender(url, said.headers, upstream), clock, wanted)


def _sender(url: str, headers: dict[str, Secret], upstream: Upstream) -> Send:
    nothing = Model("otlp", Price(FREE, FREE, FREE), 1, 1)
    # A name that no deployment can have: it holds a space.
    collector = Deployment(
        "collector of traces", nothing, url, Secret(""), headers=tuple(headers.items())
    )

    async def send(body: bytes) -> Taken:
        request = Request(collector, PATH, (), body, stream=False, deadlines=DEADLINES)
        try:
            reply = await upstream.send(request)
            said = await reply.read(MAX_REPLY)
        except GatewayError:
            return Taken(0)
        wait = dict(reply.headers).get(b"retry-after", b"")
        # A date there is a pause of our own choosing.
        return Taken(reply.status, float(wait) if wait.isdigit() else 0.0, _refused(said))

    return send


def _refused(said: bytes) -> int:
    """How many spans a collector says it did not keep of those it took."""
    try:
        partial = loads(said)["partialSuccess"]
        return max(0, int(partial["rejectedSpans"]))
    except (ValueError, KeyError, TypeError):
        # Nothing, protobuf or another's idea of an answer.
        return 0
