"""Conversations are told apart by what their callers say, else by how they begin."""

from typing import Any

import pytest
from hypothesis import given, strategies as st

from gateway.route.conversation import beginning, conversation, hands_results

SYSTEM = {"role": "system", "content": "You are a clerk."}
HELLO = {"role": "user", "content": "Hello, where is my order?"}
ANSWER = {"role": "assistant", "content": "Which one?"}
MORE = {"role": "user", "content": "Number 7."}


def talk(*messages: object, **more: Any) -> dict[str, Any]:
    return {"model": "auto", "messages": list(messages), **more}


def named(document: dict[str, Any], session: str | None = None, *, keeps: bool = False) -> object:
    return conversation(document, session, keeps=keeps)


def test_the_callers_own_name_comes_first() -> None:
    asked = talk(SYSTEM, HELLO, prompt_cache_key="key")

    assert named(asked, "mine") == "s:mine"
    assert named(asked) == "k:key"


def test_every_later_call_of_a_conversation_has_its_name() -> None:
    first = named(talk(SYSTEM, HELLO), keeps=True)

    assert first is not None
    assert named(talk(SYSTEM, HELLO, ANSWER, MORE)) == first
    assert named(talk(SYSTEM, HELLO, ANSWER, MORE, ANSWER, MORE)) == first


@pytest.mark.parametrize(
    "other",
    [
        talk(SYSTEM, MORE, ANSWER, HELLO),
        talk(HELLO, ANSWER, MORE),
        talk({"role": "developer", "content": "You are a poet."}, HELLO, ANSWER, MORE),
        talk(SYSTEM, HELLO, ANSWER, MORE, user="somebody"),
        talk(SYSTEM, HELLO, ANSWER, MORE, safety_identifier="somebody"),
        talk(SYSTEM, {"role": "user", "content": HELLO["content"] + " " * 600}, ANSWER, MORE),
    ],
)
def test_another_beginning_is_another_conversation(other: dict[str, Any]) -> None:
    assert named(other) not in (None, named(talk(SYSTEM, HELLO, ANSWER, MORE)))


def test_a_single_call_is_none_unless_there_is_something_to_keep() -> None:
    assert named(talk(SYSTEM, HELLO)) is None
    assert named(talk(HELLO)) is None
    assert named(talk(HELLO), keeps=True) is not None


def test_parts_count_as_their_first_text() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:"}}
    parts = {"role": "user", "content": [picture, {"type": "text", "text": HELLO["content"]}]}

    assert named(talk(SYSTEM, parts, ANSWER, MORE)) == named(talk(SYSTEM, HELLO, ANSWER, MORE))


def test_an_application_is_known_by_its_system_prompt() -> None:
    assert beginning(talk(SYSTEM, HELLO)) == beginning(talk(SYSTEM, MORE))
    assert beginning(talk(HELLO)) is None
    assert beginning({"prompt": "Once upon"}) is None


def test_a_tools_word_is_the_last() -> None:
    result = {"role": "tool", "tool_call_id": "call_1", "content": "42"}

    assert hands_results(talk(HELLO, ANSWER, result))
    assert not hands_results(talk(HELLO, ANSWER, result, MORE))
    assert not hands_results(talk())
    assert not hands_results({"prompt": "Once upon"})


def test_a_lone_surrogate_is_a_beginning_too() -> None:
    assert named(talk({"role": "user", "content": "\ud800"}, ANSWER)) is not None


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["role", "content", "text", "user"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(json, st.booleans())
def test_any_document_has_a_name_or_none(messages: Any, keeps: bool) -> None:
    document = {"messages": messages, "prompt_cache_key": messages, "user": messages}

    assert isinstance(named(document, keeps=keeps), str | None)
    assert isinstance(beginning(document), str | None)
    assert isinstance(hands_results(document), bool)


def test_a_role_may_be_anything() -> None:
    odd = {"role": ["user"], "content": "x"}

    assert named(talk(odd, HELLO, ANSWER)) is not None
    assert not hands_results(talk(odd))
