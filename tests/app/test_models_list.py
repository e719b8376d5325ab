"""`/v1/models` as each key sees it."""

import httpx

from tests.app.serving import FAST, Served, served

AUTO = ["auto", "auto:floor", "auto:nitro"]


async def made(gateway: Served, name: str, **terms: object) -> dict[str, str]:
    said = await gateway.http.post("/admin/v1/keys", json={"name": name, **terms})
    return {"authorization": f"Bearer {said.json()['key']}"}


def names(said: httpx.Response) -> list[str]:
    return [entry["id"] for entry in said.json()["data"]]


async def test_a_key_sees_what_it_may_use() -> None:
    async with served(FAST) as gateway:
        ask = gateway.http.get
        everything = names(await ask("/v1/models"))
        free = await made(gateway, "free")
        small = await made(gateway, "small", tiers=["nano"])
        one = await made(gateway, "one", models=["gpt-4.1-mini"])
        none = await made(gateway, "none", tiers=["full"], models=["gpt-4.1-mini"])

        assert names(await ask("/v1/models", headers=free)) == everything
        assert names(await ask("/v1/models", headers=small)) == [*AUTO, "nano", "gpt-4.1-nano"]
        assert names(await ask("/v1/models", headers=one)) == [*AUTO, "mini", "gpt-4.1-mini"]
        assert names(await ask("/v1/models", headers=none)) == []
        assert (await ask("/v1/models/gpt-4.1-nano", headers=small)).status_code == 200
        hidden = await ask("/v1/models/gpt-4.1", headers=small)
        assert (hidden.status_code, hidden.json()["error"]["code"]) == (404, "model_not_found")
        refused = await ask("/v1/models")
        assert (refused.status_code, refused.json()["error"]["type"]) == (
            401,
            "invalid_request_error",
        )
