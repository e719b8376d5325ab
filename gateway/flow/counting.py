"""Counting a response's tokens where that response would go.

`/v1/responses/input_tokens` costs nothing and is passed on, but its model may be a name for routed
calls: it is then chosen for as the response would be now, of which nothing is held or learnt. A
model that the catalog does not know is the upstream's to judge.
"""

from gateway.catalog import Deployment
from gateway.errors import ModelNotFound, UpstreamsExhausted
from gateway.flow.dry import weighed
from gateway.flow.life import Flow
from gateway.flow.passage import Books, Routed
from gateway.flow.tolls import limited
from gateway.wire.body import rewrite

PATH = "/responses/input_tokens"


async def placed(flow: Flow, books: Books, counted: Routed) -> Deployment | None:
    """The deployment where a response would go, the body made to fit; None: it is not routed.

    Raises:
        GatewayError: what the response itself would be refused with.
    """
    call = counted.call
    try:
        plan = (await weighed(flow, call)).plan
    except ModelNotFound:
        if limited(call.principal):
            raise
        return None
    step = next(plan, None)
    if step is None:
        message = "Every deployment that could answer this call is out of service."
        raise UpstreamsExhausted(message, retry_after=1)
    model = step.deployment.upstream_model or step.model
    body = rewrite(
        call.body,
        call.document,
        model=model if model != call.model else None,
        drop=counted.dropped,
    )
    books.wanted = books.wanted._replace(body=body)
    books.model, books.tier = step.model, step.tier.label
    return step.deployment
