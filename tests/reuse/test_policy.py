from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from gateway.call import NO_WISHES, CacheWish, Wishes
from gateway.reuse.policy import FULL, Policy, Verdict, decide

FORCED = Wishes(cache=CacheWish(force=True))
CHAT: dict[str, Any] = {"model": "auto", "messages": []}


def refused(reason: str) -> Verdict:
    return Verdict(read=False, write=False, share=False, reason=reason)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"temperature": 0},
        {"temperature": 0.0},
        {"temperature": None},
        {"temperature": "hot"},
        {"top_p": 0.5},
        {"n": 1},
        {"n": None},
        {"store": False},
        {"store": None},
        {"background": False},
        {"modalities": ["text"]},
        {"modalities": "audio"},
        {"audio": None},
        {"conversation": None},
        {"web_search_options": None},
        {"seed": 7, "tools": [], "stream": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("policy", [Policy.DEFAULT, Policy.ALL])
def test_an_ordinary_call_takes_part_in_everything(more: dict[str, Any], policy: Policy) -> None:
    assert decide(CHAT | more, NO_WISHES, policy) == FULL


VARIOUS = [
    ({"temperature": 0.01}, "temperature"),
    ({"temperature": 2}, "temperature"),
    ({"temperature": 1, "top_p": 0.1}, "temperature"),
    ({"n": 2}, "n"),
    ({"n": 3, "temperature": 1}, "n"),
    ({"web_search_options": {}}, "web_search"),
]
STATEFUL = [
    ({"store": True}, "state"),
    ({"background": True}, "state"),
    ({"previous_response_id": "resp_1"}, "state"),
    ({"conversation": {"id": "conv_1"}}, "state"),
    ({"modalities": ["text", "audio"], "audio": {"voice": "a"}}, "audio"),
    ({"modalities": ["audio"]}, "audio"),
    ({"audio": {}}, "audio"),
]


@pytest.mark.parametrize(("more", "reason"), VARIOUS, ids=str)
def test_a_call_that_wants_variety_is_kept_out_unless_told_otherwise(
    more: dict[str, Any], reason: str
) -> None:
    document = CHAT | more

    assert decide(document, NO_WISHES, Policy.DEFAULT) == refused(reason)
    assert decide(document, NO_WISHES, Policy.ALL) == FULL
    assert decide(document, FORCED, Policy.DEFAULT) == FULL


@pytest.mark.parametrize(("more", "reason"), STATEFUL, ids=str)
@pytest.mark.parametrize("wishes", [NO_WISHES, FORCED], ids=["unforced", "forced"])
@pytest.mark.parametrize("policy", [Policy.DEFAULT, Policy.ALL])
def test_a_reply_that_stands_for_state_is_never_reused(
    more: dict[str, Any], reason: str, wishes: Wishes, policy: Policy
) -> None:
    assert decide(CHAT | more, wishes, policy) == refused(reason)


def test_off_is_off_until_the_caller_forces_it() -> None:
    assert decide(CHAT, NO_WISHES, Policy.OFF) == refused("off")
    assert decide(CHAT, FORCED, Policy.OFF) == FULL
    assert decide({**CHAT, "temperature": 1}, FORCED, Policy.OFF) == FULL
    assert decide({**CHAT, "store": True}, FORCED, Policy.OFF) == refused("state")


@pytest.mark.parametrize(
    ("read", "write", "expected"),
    [
        (False, True, Verdict(read=False, write=True, share=False, reason="no-cache")),
        (True, False, Verdict(read=True, write=False, share=False, reason="no-store")),
        (False, False, refused("asked")),
        (True, True, FULL),
    ],
)
@pytest.mark.parametrize("policy", [Policy.DEFAULT, Policy.ALL])
def test_the_caller_s_word_is_obeyed(
    read: bool, write: bool, expected: Verdict, policy: Policy
) -> None:
    wishes = Wishes(cache=CacheWish(read=read, write=write, ttl=5.0))

    assert decide(CHAT, wishes, policy) == expected


def test_a_forced_call_still_obeys_no_cache() -> None:
    wishes = Wishes(cache=CacheWish(read=False, force=True))

    assert decide({**CHAT, "temperature": 1}, wishes, Policy.DEFAULT).reason == "no-cache"


names = st.sampled_from(
    ["temperature", "n", "store", "background", "audio", "modalities", "conversation", "top_p"]
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)


@settings(deadline=None)
@given(
    st.dictionaries(names, anything),
    st.builds(CacheWish, st.booleans(), st.booleans(), st.booleans()),
    st.sampled_from(Policy),
)
def test_sharing_needs_both_reading_and_writing_and_a_no_has_a_reason(
    document: dict[str, Any], wish: CacheWish, policy: Policy
) -> None:
    verdict = decide(document, Wishes(cache=wish), policy)

    assert verdict.share == (verdict.read and verdict.write)
    assert bool(verdict.reason) != verdict.share
    assert verdict.read <= wish.read
    assert verdict.write <= wish.write
