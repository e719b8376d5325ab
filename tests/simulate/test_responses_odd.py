"""The simulated `/responses` is given requests that no client would write."""

import json
from typing import Any

from hypothesis import given, settings, strategies as st

from gateway.simulate import responses_asking
from gateway.simulate.refusals import Refusal
from gateway.simulate.responses import Responding
from gateway.simulate.upstream import SimulatedUpstream
from tests.simulate.world import count, simulation

ODD: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 40) | st.sampled_from(["", "a", "function"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "role",
                    "content",
                    "call_id",
                    "output",
                    "name",
                    "arguments",
                    "mode",
                    "tools",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
KINDS = ["message", "function_call", "function_call_output", "reasoning", "web_search_call"]
ITEM = st.fixed_dictionaries(
    {"type": st.sampled_from(KINDS) | ODD},
    optional={"role": st.just("user") | ODD, "content": ODD, "call_id": st.just("a") | ODD},
)
PARAMETERS = (
    "instructions tools tool_choice text reasoning max_output_tokens include top_logprobs stream "
    "store stream_options previous_response_id parallel_tool_calls metadata temperature"
)


@given(
    st.just("hi") | st.lists(ITEM, max_size=3) | ODD,
    st.dictionaries(st.sampled_from(PARAMETERS.split()), ODD, max_size=3),
)
@settings(max_examples=300, deadline=None)
def test_any_request_is_answered_or_refused(said: Any, parameters: dict[str, Any]) -> None:
    upstream = SimulatedUpstream(simulation())
    body = json.dumps({"model": "small", "input": said, **parameters}).encode()

    status, said = answered(upstream, body)

    assert status in (200, 400)
    assert said


def answered(upstream: SimulatedUpstream, body: bytes) -> tuple[int, bytes]:
    try:
        asked = responses_asking.read(body, upstream.simulation.catalog, upstream.memory)
    except Refusal as refusal:
        return refusal.status, refusal.message.encode()
    wording = Responding(asked, upstream.memory)
    script = upstream.chat(asked.ask, count(asked.ask.document), (), wording)
    return script.status, b"".join(step.data for step in script.steps)
