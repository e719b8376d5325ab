"""Documents for the tests of this room: real ones, and hostile ones of any shape."""

from typing import Any

from hypothesis import strategies as st

Document = dict[str, Any]

COOKBOOK_CHAT: Document = {
    "messages": [
        {
            "role": "system",
            "content": "You are a helpful, pattern-following assistant that translates corporate "
            "jargon into plain English.",
        },
        {
            "role": "system",
            "name": "example_user",
            "content": "New synergies will help drive top-line growth.",
        },
        {
            "role": "system",
            "name": "example_assistant",
            "content": "Things working well together will increase revenue.",
        },
        {
            "role": "system",
            "name": "example_user",
            "content": "Let's circle back when we have more bandwidth to touch base on "
            "opportunities for increased leverage.",
        },
        {
            "role": "system",
            "name": "example_assistant",
            "content": "Let's talk later when we're less busy about how to do better.",
        },
        {
            "role": "user",
            "content": "This late pivot means we don't have time to boil the ocean for the client "
            "deliverable.",
        },
    ]
}
"""The example of OpenAI's cookbook; the API counted 124 tokens."""

WEATHER: Document = {
    "type": "function",
    "function": {
        "name": "get_current_weather",
        "description": "Get the current weather in a given location",
        "parameters": {
            "type": "object",
            "properties": {
                "location": {
                    "type": "string",
                    "description": "The city and state, e.g. San Francisco, CA",
                },
                "unit": {
                    "type": "string",
                    "description": "The unit of temperature to return",
                    "enum": ["celsius", "fahrenheit"],
                },
            },
            "required": ["location"],
        },
    },
}

COOKBOOK_TOOLS: Document = {
    "messages": [
        {
            "role": "system",
            "content": "You are a helpful assistant that can answer to questions about the "
            "weather.",
        },
        {"role": "user", "content": "What's the weather like in San Francisco?"},
    ],
    "tools": [WEATHER],
}
"""Its example with a tool; the API counted 101 tokens."""


def ask(text: str, **fields: Any) -> Document:
    return {"messages": [{"role": "user", "content": text}], **fields}


_KEYS = st.sampled_from(
    [
        *("role", "content", "type", "text", "name", "image_url", "url", "detail", "refusal"),
        *("tool_calls", "function", "function_call", "arguments", "tool_call_id", "audio", "data"),
        *("parameters", "properties", "enum", "description", "items", "anyOf", "$defs", "output"),
        *("schema", "json_schema", "format", "effort", "x"),
    ]
)
_WORDS = st.sampled_from(
    [
        *("user", "assistant", "system", "tool", "critic", "text", "input_text", "image_url"),
        *("input_image", "input_audio", "file", "function_call", "function_call_output", "message"),
        *(
            "reasoning",
            "json_schema",
            "none",
            "auto",
            "high",
            "low",
            "data:image/png;base64,iVBORw0K",
        ),
        *(
            "\ud800",
            "证明",
            "hello",
            "prove it",
            "```x",
            "1\n2.\n3.\n4.",
            "write 500 words",
            "a" * 2_100,
        ),
    ]
)
_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | _WORDS
    | st.text(max_size=12)
)
ANYTHING = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=10,
)
"""Any JSON value, with the names that mean something wherever they mean nothing."""

ANY_DOCUMENT = st.dictionaries(
    st.sampled_from(
        [
            *("messages", "input", "instructions", "prompt", "tools", "functions", "tool_choice"),
            *("response_format", "text", "logprobs", "modalities", "audio", "reasoning"),
            *(
                "reasoning_effort",
                "parallel_tool_calls",
                "max_tokens",
                "max_completion_tokens",
                "n",
            ),
            *("max_output_tokens", "best_of", "previous_response_id", "conversation"),
        ]
    ),
    ANYTHING | st.lists(st.dictionaries(_KEYS, ANYTHING, max_size=4), max_size=3),
    max_size=5,
)
"""Any JSON object a client may send."""


def nested(depth: int) -> Any:
    """A value nested deeper than a recursive walk would survive."""
    value: Any = "deep"
    for level in range(depth):
        value = {"properties": {"x": value}} if level % 2 else {"items": value}
    return value
