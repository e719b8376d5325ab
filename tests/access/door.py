"""A doorman to ask, keys to bring, and what he says when he refuses."""

import pytest

from gateway.access.directory import Directory, Team
from gateway.access.doorman import Doorman
from gateway.errors import GatewayError
from gateway.principal import KeyRecord, Terms
from tests.access.fakes import FakeKeys, made
from tests.fakes import FakeClock

RECORD, KEY = made()
OTHER, OTHER_KEY = made("other", seed=2)
FOREIGN = {b"authorization": b"Bearer sk-proj-abcdefghijklmnop"}
NOBODY: dict[bytes, bytes] = {}


def bringing(key: bytes) -> dict[bytes, bytes]:
    return {b"authorization": b"Bearer " + key}


def doorman(
    keys: FakeKeys | None = None,
    *records: KeyRecord,
    clock: FakeClock | None = None,
    open_to_all: bool = False,
) -> Doorman:
    return Doorman(
        Directory({"search": Team("acme", Terms(parallel=3))}),
        keys or FakeKeys(),
        clock or FakeClock(),
        records=records,
        open_to_all=open_to_all,
    )


async def refused(man: Doorman, fields: dict[bytes, bytes], *, near: bool = False) -> GatewayError:
    assert man.known(fields, near=near) is None
    with pytest.raises(GatewayError) as error:
        await man.admit(fields, near=near)
    return error.value
