"""The simulated upstream as the official client sees it, over a real socket."""

import json
from typing import Any

import openai
import pydantic
import pytest

from tests.simulate.world import ask

WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            },
            "required": ["city", "unit"],
        },
    },
}
EMAIL: Any = {
    "type": "function",
    "function": {
        "name": "send_email",
        "parameters": {
            "type": "object",
            "properties": {"to": {"type": "string", "format": "email"}},
            "required": ["to"],
        },
    },
}
NOTE: Any = {"type": "custom", "custom": {"name": "take_note", "description": "Write it down."}}


def create(client: openai.OpenAI, **fields: Any) -> Any:
    return client.chat.completions.create(**ask(**fields))


def test_an_answer_says_that_it_is_simulated(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(**ask())
    reply = raw.parse()

    assert raw.headers["x-tiergate-simulated"] == "1"
    assert raw.headers["openai-version"] == "2020-10-01"
    assert int(raw.headers["openai-processing-ms"]) > 0
    assert raw.headers["x-ratelimit-remaining-requests"] == "29999"
    assert reply.system_fingerprint == "fp_simulated"
    assert reply.choices[0].message.content is not None
    assert reply.choices[0].message.content.startswith("[simulated] ")
    assert reply.choices[0].finish_reason == "stop"
    assert reply.model == "small"
    assert reply.service_tier == "default"
    assert reply.id.startswith("chatcmpl-")


def test_usage_adds_up(client: openai.OpenAI) -> None:
    usage = create(client, text="What is inflation?").usage

    assert usage.prompt_tokens == 10
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert usage.completion_tokens_details.reasoning_tokens == 0
    assert usage.prompt_tokens_details.cached_tokens == 0


def test_a_stream_says_what_the_whole_reply_says(client: openai.OpenAI) -> None:
    whole = create(client)
    chunks = list(create(client, stream=True, stream_options={"include_usage": True}))
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1])

    assert said == whole.choices[0].message.content
    assert {chunk.id for chunk in chunks} == {whole.id}
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage == whole.usage
    assert all(chunk.usage is None for chunk in chunks[:-1])
    # A token a chunk, between the role, the finish and the usage.
    assert len(chunks) == whole.usage.completion_tokens + 3


def test_each_of_several_choices_is_streamed_whole(client: openai.OpenAI) -> None:
    whole = create(client, n=3, text="Explain entropy.")
    texts = ["", "", ""]
    for chunk in create(client, n=3, text="Explain entropy.", stream=True):
        texts[chunk.choices[0].index] += chunk.choices[0].delta.content or ""

    assert texts == [choice.message.content for choice in whole.choices]
    assert len(set(texts)) == 3


def test_a_limit_cuts_the_answer_to_that_many_tokens(client: openai.OpenAI) -> None:
    for limit in ("max_tokens", "max_completion_tokens"):
        reply = create(client, **{limit: 5})

        assert reply.choices[0].finish_reason == "length"
        assert reply.usage.completion_tokens == 5


def test_a_stop_sequence_ends_the_answer_before_it(client: openai.OpenAI) -> None:
    for stop in ("simulated", ["]", "simulated"]):
        reply = create(client, stop=stop)

        assert reply.choices[0].message.content == "["
        assert reply.choices[0].finish_reason == "stop"


def test_logprobs_cover_the_answer(client: openai.OpenAI) -> None:
    reply = create(client, logprobs=True, top_logprobs=3)
    tokens = reply.choices[0].logprobs.content

    assert "".join(token.token for token in tokens) == reply.choices[0].message.content
    assert len(tokens) == reply.usage.completion_tokens
    assert all(token.logprob <= 0 for token in tokens)
    assert all(len(token.top_logprobs) == 3 for token in tokens)
    assert all(token.top_logprobs[0].token == token.token for token in tokens)


def test_streamed_logprobs_come_with_their_tokens(client: openai.OpenAI) -> None:
    chunks = list(create(client, logprobs=True, stream=True))
    first, *middle, last = (chunk.choices[0] for chunk in chunks)

    assert first.logprobs is None
    assert last.logprobs is None
    assert all(each.logprobs.content[0].token == each.delta.content for each in middle)


def test_a_tool_is_called_and_its_result_answered(client: openai.OpenAI) -> None:
    question = {"role": "user", "content": "What is the weather in Paris?"}
    called = create(client, messages=[question], tools=[WEATHER, EMAIL])
    call = called.choices[0].message.tool_calls[0]
    result = {"role": "tool", "tool_call_id": call.id, "content": "18 degrees"}
    turn = called.choices[0].message.model_dump(exclude_none=True)
    answered = create(client, messages=[question, turn, result], tools=[WEATHER, EMAIL])

    assert called.choices[0].finish_reason == "tool_calls"
    assert called.choices[0].message.content is None
    assert call.function.name == "get_weather"
    assert json.loads(call.function.arguments) == {"city": "Paris", "unit": "celsius"}
    assert answered.choices[0].message.content == (
        "[simulated] Based on the results: `get_weather` returned 18 degrees."
    )


def test_names_side_by_side_get_a_call_each(client: openai.OpenAI) -> None:
    question = "What is the weather in Paris and Cape Town?"
    several = create(client, text=question, tools=[WEATHER]).choices[0].message.tool_calls
    one = create(client, text=question, tools=[WEATHER], parallel_tool_calls=False)

    cities = [json.loads(call.function.arguments)["city"] for call in several]
    assert cities == ["Paris", "Cape Town"]
    assert len({call.id for call in several}) == 2
    assert len(one.choices[0].message.tool_calls) == 1


@pytest.mark.parametrize("question", ["Email Ada the weather of Rome.", "The weather of Rome?"])
def test_streamed_tool_calls_join_to_the_whole_ones(client: openai.OpenAI, question: str) -> None:
    tools = [WEATHER, EMAIL, NOTE]
    whole = create(client, text=question, tools=tools).choices[0].message.tool_calls
    with client.chat.completions.stream(**ask(question, tools=tools)) as stream:
        final = stream.get_final_completion()
    joined = final.choices[0].message.tool_calls

    assert joined is not None
    assert [each.id for each in joined] == [each.id for each in whole]
    assert [each.function.arguments for each in joined] == [
        each.function.arguments for each in whole
    ]
    assert final.choices[0].finish_reason == "tool_calls"


def test_the_caller_chooses_whether_and_which_tool_is_called(client: openai.OpenAI) -> None:
    tools = [WEATHER, EMAIL, NOTE]
    named = {"type": "function", "function": {"name": "send_email"}}
    allowed = {
        "type": "allowed_tools",
        "allowed_tools": {"mode": "required", "tools": [named]},
    }

    none = create(client, tools=tools, tool_choice="none").choices[0]
    required = create(client, tools=tools, tool_choice="required").choices[0]
    by_name = create(client, tools=tools, tool_choice=named).choices[0]
    by_list = create(client, tools=tools, tool_choice=allowed).choices[0]

    assert none.message.tool_calls is None
    assert required.finish_reason == "tool_calls"
    assert by_name.message.tool_calls[0].function.name == "send_email"
    assert by_name.finish_reason == "stop"
    assert by_list.message.tool_calls[0].function.name == "send_email"


def test_a_custom_tool_gets_plain_text(client: openai.OpenAI) -> None:
    call = create(client, text="Please note that.", tools=[NOTE]).choices[0].message.tool_calls[0]

    assert call.type == "custom"
    assert call.custom.name == "take_note"
    assert call.custom.input == "Please note that."


def test_a_limit_cuts_arguments_short(client: openai.OpenAI) -> None:
    choice = create(client, tools=[WEATHER], max_tokens=2).choices[0]

    assert choice.finish_reason == "length"
    with pytest.raises(json.JSONDecodeError):
        json.loads(choice.message.tool_calls[0].function.arguments)


class Step(pydantic.BaseModel):
    explanation: str
    weight: float = pydantic.Field(gt=0, lt=1)


class Solution(pydantic.BaseModel):
    steps: list[Step] = pydantic.Field(min_length=2)
    answer: str | None
    kind: str = pydantic.Field(pattern=r"^[A-Z]{2}-\d{3,}$")


def test_structured_output_parses_into_its_model(client: openai.OpenAI) -> None:
    fields: Any = ask("Solve x + 1 = 3.")
    reply = client.chat.completions.parse(response_format=Solution, **fields)
    with client.chat.completions.stream(response_format=Solution, **fields) as stream:
        streamed = stream.get_final_completion().choices[0].message.parsed

    assert reply.choices[0].message.parsed is not None
    assert len(reply.choices[0].message.parsed.steps) == 2
    assert streamed == reply.choices[0].message.parsed


def test_plain_text_may_be_asked_for_by_name(client: openai.OpenAI) -> None:
    named = create(client, response_format={"type": "text"})

    assert named.choices[0].message.content.startswith("[simulated] ")


def test_json_mode_gives_an_object(client: openai.OpenAI) -> None:
    fields: Any = {"response_format": {"type": "json_object"}}
    text = create(client, text="Give me JSON.", **fields).choices[0].message.content

    assert json.loads(text) == {"simulated": True, "answer": "Give me JSON."}


def test_a_reasoning_model_thinks_before_it_speaks(client: openai.OpenAI) -> None:
    thought = create(client, model="thinker").usage
    quick = create(client, model="thinker", reasoning_effort="none").usage
    starved = create(client, model="thinker", max_completion_tokens=1)

    assert thought.completion_tokens_details.reasoning_tokens >= 64
    assert thought.completion_tokens > thought.completion_tokens_details.reasoning_tokens
    assert quick.completion_tokens_details.reasoning_tokens == 0
    assert starved.choices[0].message.content == ""
    assert starved.choices[0].finish_reason == "length"
    assert starved.usage.completion_tokens == 1


def test_models_tell_when_they_end(client: openai.OpenAI) -> None:
    listed = client.models.list().data

    assert [each.id for each in listed] == ["small", "undated", "middle", "large", "thinker"]
    assert client.models.retrieve("small").shutdown_date == "2027-01-14"
    assert client.models.retrieve("undated").shutdown_date is None


def test_errors_are_the_exceptions_the_client_knows(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as unknown:
        create(client, model="gpt-0")
    with pytest.raises(openai.NotFoundError) as retrieved:
        client.models.retrieve("gpt-0")
    with pytest.raises(openai.BadRequestError) as empty:
        client.chat.completions.create(model="small", messages=[])

    assert unknown.value.code == retrieved.value.code == "model_not_found"
    assert "gpt-0" in unknown.value.message
    assert (empty.value.code, empty.value.param) == ("empty_array", "messages")
    assert empty.value.request_id is not None


async def test_the_asynchronous_client_streams_too(port: int) -> None:
    url = f"http://127.0.0.1:{port}"
    said = ""
    async with openai.AsyncOpenAI(base_url=url, api_key="any", max_retries=0) as client:
        fields: Any = ask("Hello!", stream=True)
        async for chunk in await client.chat.completions.create(**fields):
            said += chunk.choices[0].delta.content or ""

    assert said == "[simulated] Hello! How can I help you today?"
