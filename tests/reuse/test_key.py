import copy
import json
from typing import Any

import orjson
import pytest
from hypothesis import assume, given, settings, strategies as st

from gateway.call import NO_WISHES, CacheWish, Sort, Wishes
from gateway.catalog import Tier
from gateway.money import NanoUSD
from gateway.reuse.key import IGNORED, cache_key

BODY = {
    "model": "auto",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "What is 1 + 1?"}]},
    ],
    "temperature": 0,
    "stop": ["\n", None],
    "response_format": {"type": "json_schema", "json_schema": {"strict": True, "schema": {}}},
    "a_member_nobody_knows_yet": {"deep": [1, 2.5, {"deeper": False}]},
}


def key_of(
    body: bytes,
    *,
    document: dict[str, Any] | None = None,
    endpoint: str = "chat/completions",
    wishes: Wishes = NO_WISHES,
    dropped: frozenset[str] = frozenset(),
    tenant: str = "acme",
    catalog_version: str = "v1",
) -> bytes:
    return cache_key(
        endpoint=endpoint,
        body=body,
        document=json.loads(body) if document is None else document,
        wishes=wishes,
        dropped=dropped,
        tenant=tenant,
        catalog_version=catalog_version,
    )


def key(document: dict[str, Any], **rest: Any) -> bytes:
    return key_of(json.dumps(document).encode(), **rest)


texts = st.text(st.characters(), max_size=8)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
documents = st.dictionaries(texts.filter(lambda name: name not in IGNORED), values, max_size=5)


def shuffled(value: Any) -> Any:
    """The same JSON with the members of every object the other way round."""
    if isinstance(value, dict):
        return {name: shuffled(value[name]) for name in reversed(value)}
    return [shuffled(item) for item in value] if isinstance(value, list) else value


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value within a value."""
    found = [at] if at else []
    inner: Any = value.items() if isinstance(value, dict) else []
    if isinstance(value, list):
        inner = enumerate(value)
    for step, item in inner:
        found += places(item, (*at, step))
    return found


def test_a_key_is_a_whole_sha_256() -> None:
    assert len(key(BODY)) == 32


@settings(deadline=None)
@given(documents)
def test_order_of_members_and_spacing_do_not_matter(document: dict[str, Any]) -> None:
    # Where digits could be lost the bytes themselves are the key.
    assume(not any(isinstance(v, float) and abs(v) >= 2**53 for v in flat(document)))
    spaced = json.dumps(shuffled(document), indent=3, separators=(" ,", " : ")).encode()

    assert key_of(spaced) == key(document)


def flat(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in flat(item)]
    return [leaf for item in value for leaf in flat(item)] if isinstance(value, list) else [value]


@settings(deadline=None)
@given(documents, values, st.data())
def test_any_change_anywhere_changes_the_key(
    document: dict[str, Any], value: Any, data: st.DataObject
) -> None:
    way = data.draw(st.sampled_from(places(document) or [("new",)]))
    changed = copy.deepcopy(document)
    spot: Any = changed
    for step in way[:-1]:
        spot = spot[step]
    spot[way[-1]] = value
    assume(json.dumps(changed, sort_keys=True) != json.dumps(document, sort_keys=True))

    assert key(changed) != key(document)


@settings(deadline=None)
@given(documents, st.data())
def test_leaving_a_member_out_changes_the_key(
    document: dict[str, Any], data: st.DataObject
) -> None:
    assume(document)
    gone = data.draw(st.sampled_from(sorted(document)))

    assert key({n: v for n, v in document.items() if n != gone}) != key(document)


@settings(deadline=None)
@given(documents, texts, texts)
def test_tenants_never_share(document: dict[str, Any], one: str, other: str) -> None:
    assume(one != other)

    assert key(document, tenant=one) != key(document, tenant=other)


@pytest.mark.parametrize("name", sorted(IGNORED))
def test_what_only_labels_a_call_does_not_matter_at_the_top(name: str) -> None:
    assert key({**BODY, name: "x"}) == key({**BODY, name: {"y": 1}}) == key(BODY)


@pytest.mark.parametrize("name", sorted(IGNORED))
def test_the_same_names_further_down_do_matter(name: str) -> None:
    assert key({"tools": [{name: "x"}]}) != key({"tools": [{name: "y"}]})


def test_members_that_were_wishes_count_only_as_wishes() -> None:
    knob = {**BODY, "models": ["a", "b"]}
    dropped = frozenset({"models"})

    assert key(knob, dropped=dropped) == key(BODY)
    assert key(knob) != key(BODY)
    assert key(knob, dropped=dropped, wishes=Wishes(models=("a", "b"))) != key(BODY)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1, True),
        (0, False),
        (1.0, True),
        (0, None),
        ("1", 1),
        ("", None),
        ([], {}),
        ([1], 1),
        (2**53, 2**53 + 1),
        (2**64, 2**64 + 1),
        (-(2**63) - 1, -(2**63) - 2),
        ("\ud83d", "\ud83e"),
        ("\\ud83d", "\ud83d"),
        ("\u00e9", "e\u0301"),
    ],
    ids=ascii,
)
def test_values_that_look_alike_differ(one: Any, other: Any) -> None:
    keys = {key({"x": one}), key({"x": other})}
    nested = {key({"x": [{"y": one}]}), key({"x": [{"y": other}]})}

    assert len(keys) == len(nested) == 2


@pytest.mark.parametrize("spelling", ["18446744073709551617", "-9999999999999999999999", "1e300"])
def test_numbers_a_reader_collapses_are_told_apart_by_their_bytes(spelling: str) -> None:
    body = b'{"seed":%b,"x":[]}' % spelling.encode()
    neighbour = body.replace(b"7,", b"8,").replace(b"9,", b"8,").replace(b"1e300", b"1e301")
    as_orjson_reads = [orjson.loads(body), orjson.loads(neighbour)]

    keys = {
        key_of(raw, document=document)
        for raw, document in zip((body, neighbour), as_orjson_reads, strict=True)
    }

    assert len(keys) == 2


def test_long_digits_in_text_keep_the_key_free_of_spelling() -> None:
    compact = b'{"messages":[{"content":"order 12345678901234567890"}],"temperature":0.5}'
    spaced = compact.replace(b":", b" : ")

    assert key_of(compact) == key_of(spaced)
    assert key_of(compact[:-1] + b',"user":"10000000000000000001"}') == key_of(compact)


def test_members_cannot_be_shifted_between_fields() -> None:
    assert key(BODY, endpoint="a", tenant="bc") != key(BODY, endpoint="ab", tenant="c")
    assert key(BODY, tenant="a", catalog_version="bc") != key(
        BODY, tenant="ab", catalog_version="c"
    )


def test_endpoint_and_catalog_are_part_of_the_key() -> None:
    assert key(BODY, endpoint="completions") != key(BODY)
    assert key(BODY, catalog_version="v2") != key(BODY)


@pytest.mark.parametrize(
    "wishes",
    [
        Wishes(tier=Tier.NANO),
        Wishes(tier=Tier.MINI),
        Wishes(sort=Sort.FLOOR),
        Wishes(quality=0.0),
        Wishes(max_cost=NanoUSD(5)),
        Wishes(deadline=5.0),
        Wishes(ttft=5.0),
        Wishes(models=("a",)),
        Wishes(models=("\ud800",)),
        Wishes(allowed=("a",)),
        Wishes(max_price=(NanoUSD(5), None)),
        Wishes(max_price=(None, NanoUSD(5))),
        Wishes(cache=CacheWish(namespace="n")),
    ],
    ids=ascii,
)
def test_wishes_that_can_change_an_answer_change_the_key(wishes: Wishes) -> None:
    others = [NO_WISHES, Wishes(tier=Tier.FULL), Wishes(quality=0.5), Wishes(allowed=("b",))]

    assert key(BODY, wishes=wishes) not in {key(BODY, wishes=other) for other in others}


@pytest.mark.parametrize(
    "wishes",
    [
        Wishes(),
        Wishes(session="s"),
        Wishes(explain=True),
        Wishes(patience=3.0),
        Wishes(cache=CacheWish(read=False, ttl=3.0, max_age=1.0, force=True)),
    ],
    ids=str,
)
def test_wishes_that_cannot_change_it_do_not(wishes: Wishes) -> None:
    assert key(BODY, wishes=wishes) == key(BODY)
