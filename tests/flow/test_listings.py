"""A key's list holds its tenant's own, whoever else has stored something in the account."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from gateway.catalog import Deployment, Secret
from gateway.errors import InvalidValue, ObjectNotFound, PermissionDenied
from gateway.flow.homes import Homes
from gateway.flow.listings import Listings
from gateway.flow.passage import PassRules, Wanted
from gateway.ports import Deadlines, Reply, Request
from gateway.principal import ANYONE, Principal
from tests.fakes import JSON_HEAD, FakeReply, catalog
from tests.flow.passages import Place

ALICE = Principal(key="a", tenant="key:a")
BOB = Principal(key="b", tenant="key:b")
FEW = 100
RULES = PassRules()


class Account(Place):
    """Accounts that hold files, the newest first; `account` is whose key was used."""

    def __init__(self, files: dict[str, list[str]], **more: Any) -> None:
        tiers = {
            tier: tuple(replace(d, key=Secret(f"sk-{tier.label}")) for d in deployments)
            for tier, deployments in catalog().tiers.items()
        }
        super().__init__(where=replace(catalog(), tiers=tiers), **more)
        self.files = files
        self.asked: list[tuple[str, dict[str, list[str]]]] = []
        self.pages = True

    def _answer(self, request: Request) -> Any:
        query = parse_qs(urlsplit(request.path).query)
        account = request.deployment.key.reveal()
        self.asked.append((account, query))
        if (held := self.files.get(account)) is None:
            return FakeReply(404, JSON_HEAD, (b'{"error":{"message":"Unknown URL"}}',))
        after, limit = query.get("after", [""])[0], int(query.get("limit", ["20"])[0])
        if limit > FEW:
            return FakeReply(400, JSON_HEAD, (b'{"error":{"message":"limit"}}',))
        begin = held.index(after) + 1 if after in held and self.pages else 0
        names = held[begin : begin + limit]
        entries = b" , ".join(
            b'{"id": "%b" ,"n":1.50,"output_file_id":"out-%b"}' % (name.encode(), name.encode())
            for name in names
        )
        more = b"true" if len(held) > begin + limit else b"false"
        text = b'{ "object":"list","data":[%b], "has_more" : %b,"first_id":0,"last_id":0}'
        return FakeReply(200, (*JSON_HEAD, (b"etag", b"x")), (text % (entries, more),))

    async def listed(self, query: str = "", *, path: str = "/files", **more: Any) -> Any:
        said = await self.ask(path + query, method="GET", principal=ALICE, **more)
        return orjson.loads(said)


def names(count: int, begin: int = 0) -> list[str]:
    return [f"file-{number}" for number in range(begin, begin + count)]


async def account(count: int, *, own: list[int], **more: Any) -> Account:
    """An account of so many files, of which these are Alice's and the others Bob's."""
    place = Account({"sk-full": names(count)}, **more)
    for number, name in enumerate(names(count)):
        await place.made(name, (ALICE if number in own else BOB).tenant)
    return place


def ids(page: dict[str, Any]) -> list[str]:
    return [entry["id"] for entry in page["data"]]


async def test_only_its_own_is_in_a_keys_list_byte_for_byte() -> None:
    place = await account(5, own=[1, 3])

    said = await place.ask("/files", method="GET", principal=ALICE)

    assert said == (
        b'{ "object":"list","data":[{"id": "file-1" ,"n":1.50,"output_file_id":"out-file-1"},'
        b'{"id": "file-3" ,"n":1.50,"output_file_id":"out-file-3"}], "has_more" : false,'
        b'"first_id":"file-1","last_id":"file-3"}'
    )
    assert place.recorder.calls[0].outcome == "ok"
    assert b"x" not in dict(place.upstream.requests[0].headers).values()


async def test_a_page_is_filled_from_as_many_as_it_takes() -> None:
    place = await account(350, own=[0, 120, 121, 340])

    page = await place.listed("?limit=3&order=desc", path="/batches")
    rest = await place.listed(f"?limit=3&order=desc&after={page['last_id']}", path="/batches")

    assert ids(page) == ["file-0", "file-120", "file-121"]
    assert (page["first_id"], page["last_id"], page["has_more"]) == ("file-0", "file-121", True)
    assert (ids(rest), rest["has_more"]) == (["file-340"], False)
    assert place.asked[0] == ("sk-full", {"limit": ["100"], "order": ["desc"]})
    assert place.asked[1][1]["after"] == ["file-99"]


async def test_that_nothing_follows_is_known_though_others_have_more() -> None:
    place = await account(150, own=[2, 3])

    page = await place.listed("?limit=2")

    assert (ids(page), page["has_more"]) == (["file-2", "file-3"], False)


async def test_an_empty_list_has_no_ends() -> None:
    page = await (await account(3, own=[])).listed()

    assert page == {
        "object": "list",
        "data": [],
        "has_more": False,
        "first_id": None,
        "last_id": None,
    }


async def test_a_list_of_nothing_but_its_own_is_untouched() -> None:
    place = await account(3, own=[0, 1, 2])

    said = await place.ask("/files", method="GET", principal=ALICE)

    assert said == await place.ask("/files", method="GET", principal=ANYONE)


async def test_what_its_entries_led_to_is_its_own_too() -> None:
    place = await account(3, own=[1])

    await place.listed()

    place.files["sk-full"].append("out-file-1")
    assert "out-file-1" in ids(await place.listed())


async def test_it_is_not_looked_through_without_end() -> None:
    place = await account(500, own=[50, 450])
    listings = Listings(
        Homes(place.flow.parts.catalog, place.flow.parts.affinities, RULES), 1 << 20, 3
    )
    wanted = Wanted("req", "GET", "/files", "/files", (), ALICE, 0.0)

    async def send(place_: Deployment, target: str) -> Reply:
        return await place.upstream.send(
            Request(place_, target, (), b"", stream=True, deadlines=Deadlines(), method="GET")
        )

    beginning = listings.asked(wanted)
    after = listings.asked(wanted._replace(target="/files?after=file-50"))
    assert beginning
    assert after
    _, reply = await listings.own(wanted, beginning, send)
    page = orjson.loads(await reply.read(1 << 20))
    with pytest.raises(PermissionDenied, match="by its id"):
        await listings.own(wanted, after, send)

    assert len(place.upstream.requests) == 6
    assert (ids(page), page["has_more"]) == (["file-50"], True)


async def test_a_server_that_knows_no_pages_is_asked_twice_at_most() -> None:
    place = await account(150, own=[5])
    place.pages = False

    page = await place.listed()

    assert ids(page) == ["file-5"]
    assert [who for who, _ in place.asked].count("sk-full") == 2


async def test_accounts_are_read_one_after_the_other() -> None:
    place = Account({"sk-full": names(3), "sk-nano": names(3, 3)})
    for name in names(6):
        await place.made(name, ALICE.tenant, "gpt-4.1" if name < "file-3" else "gpt-4.1-nano")

    page = await place.listed("?limit=4")
    rest = await place.listed("?limit=4&after=file-3")

    assert (ids(page), page["has_more"]) == (names(4), True)
    assert (ids(rest), rest["has_more"]) == (names(2, 4), False)
    assert [who for who, _ in place.asked] == ["sk-full", "sk-nano", "sk-nano", "sk-mini"]


async def test_a_refusal_of_the_upstream_is_its_own_word() -> None:
    place = await account(3, own=[1])

    said = await place.ask("/batches?limit=500", method="GET", principal=ALICE)
    nowhere = await Account({}).ask("/files", method="GET", principal=ALICE)

    assert said == b'{"error":{"message":"limit"}}'
    assert nowhere == b'{"error":{"message":"Unknown URL"}}'


@pytest.mark.parametrize("query", ["?limit=1&limit=2", "?after=a&after=b", "?before=file-1"])
async def test_a_list_that_could_begin_in_two_places_is_none(query: str) -> None:
    with pytest.raises(InvalidValue):
        await (await account(3, own=[1])).listed(query)


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"data":3}', b'{"data":[3]}'])
async def test_what_is_no_list_is_not_passed(body: bytes) -> None:
    place = Place(FakeReply(200, JSON_HEAD, (body,)))

    with pytest.raises(PermissionDenied):
        await place.ask("/files", method="GET", principal=ALICE)


async def test_a_list_of_what_belongs_to_anothers_is_not_there() -> None:
    place = await account(3, own=[1])

    with pytest.raises(ObjectNotFound):
        await place.listed("?vector_store_id=file-2")


async def test_an_operator_may_let_all_see_all() -> None:
    place = await account(3, own=[1], rules=PassRules(unknown=True))

    assert ids(await place.listed()) == names(3)
