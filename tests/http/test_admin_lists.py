"""Keys listed over the admin API, in pages."""

import pytest

from tests.access.fakes import FakeKeys, holding, made
from tests.http.office import Office, error


@pytest.fixture
def anyio_backend() -> str:
    """Nothing here depends on the loop."""
    return "asyncio"


def many(count: int) -> FakeKeys:
    return holding(*(made(f"k{n}", seed=n + 100, at=float(n))[0] for n in range(count)))


async def test_a_list_has_the_configurations_keys_first_and_then_the_stores() -> None:
    office = Office(keys=many(2))

    said = (await office.ask("GET", "/keys")).json()

    assert (said["object"], said["has_more"]) == ("list", False)
    assert [(row["name"], row["source"]) for row in said["data"]] == [
        ("from-file", "configuration"),
        ("k0", "store"),
        ("k1", "store"),
    ]


async def test_a_long_list_comes_in_pages() -> None:
    office = Office(keys=many(7))
    names: list[str] = []
    after, more = "", True
    while more:
        page = (await office.ask("GET", f"/keys?limit=3&after={after}")).json()
        assert len(page["data"]) <= 3
        names += [row["name"] for row in page["data"]]
        after, more = page["data"][-1]["id"], page["has_more"]

    assert names == ["from-file", *(f"k{n}" for n in range(7))]


@pytest.mark.parametrize(
    ("query", "param"),
    [("limit=0", "limit"), ("limit=501", "limit"), ("after=x", "after"), ("status=x", "status")],
)
async def test_a_list_that_cannot_be_is_refused(query: str, param: str) -> None:
    answer = await Office().ask("GET", f"/keys?{query}")

    assert answer.status_code in (400, 422)
    assert error(answer)["param"] == param


async def test_a_list_may_be_of_a_team_or_of_a_status() -> None:
    office = Office(records=())
    await office.create(name="a", team="search")
    await office.create(name="b", expires="1h")
    await office.create(name="c")
    await office.ask("DELETE", "/keys/c")
    office.clock.at += 3_600

    async def names(query: str) -> list[str]:
        page = (await office.ask("GET", f"/keys?{query}")).json()
        return [row["name"] for row in page["data"]]

    assert await names("team=search") == ["a"]
    assert await names("status=active") == ["a"]
    assert await names("status=expired") == ["b"]
    assert await names("status=revoked") == ["c"]
    assert await names("status=revoked&team=search") == []
