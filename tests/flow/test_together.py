"""Two processes' decisions, told to each other over a bulletin in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.call import NO_WISHES
from gateway.errors import StoreUnavailable
from gateway.flow.decisions import Decision, Decisions
from gateway.flow.together import FRESH_SECONDS, MOST_TOLD, PAGE, Together
from gateway.ports import Note
from gateway.principal import Principal
from tests.fakes import FakeClock
from tests.observe.events import an_ended


@dataclass
class FakeBulletin:
    """A `Bulletin` in memory; while it is `down` nobody knows, and `lost` says what then is so."""

    notes: list[Note] = field(default_factory=list)
    down: bool = False
    lost: bool = True
    reads: int = 0

    async def tell(self, packed: Sequence[bytes]) -> None:
        if not (self.down and self.lost):
            at = len(self.notes)
            self.notes += [Note(str(at + place), one) for place, one in enumerate(packed)]
        self._answer()

    async def heard(self, after: str, most: int) -> Sequence[Note]:
        self.reads += 1
        self._answer()
        start = int(after) + 1 if after else 0
        return self.notes[start : start + most]

    def _answer(self) -> None:
        if self.down:
            message = "it is down"
            raise StoreUnavailable(message)


class Process:
    """One that decides, and looks."""

    def __init__(self, bulletin: FakeBulletin | None, clock: FakeClock, limit: int = 500) -> None:
        self.clock = clock
        self.own = Decisions(limit)
        self.view = Together(self.own, clock, limit, bulletin)

    def decides(self, *names: str) -> None:
        for name in names:
            ended = an_ended(id=name)
            said = Decision(ended, 0.0, "chat", "", Principal(), NO_WISHES, None, None)
            self.own.add(said)

    async def shows(self) -> list[str]:
        return [one.ended.id for one in (await self.view.look()).newest_first()]


def two(limit: int = 500) -> tuple[FakeBulletin, Process, Process]:
    bulletin, clock = FakeBulletin(), FakeClock()
    return bulletin, Process(bulletin, clock, limit), Process(bulletin, clock, limit)


async def test_whoever_is_asked_shows_what_all_decided() -> None:
    _, one, other = two()
    one.decides("a")
    await one.view.tell()
    other.decides("b")
    await other.view.tell()
    one.decides("c")

    assert await one.shows() == ["c", "b", "a"]
    assert await other.shows() == ["c", "b", "a"]


async def test_a_process_by_itself_shows_its_own() -> None:
    alone = Process(None, FakeClock())
    alone.decides("a", "b")

    assert await alone.shows() == ["b", "a"]
    assert await alone.view.glance() is alone.own
    async with alone.view.kept_up(alone.clock.sleep):
        assert await alone.view.find("a") is not None


async def test_a_call_is_found_wherever_it_was_decided() -> None:
    _, one, other = two()
    one.decides("a")
    await one.view.tell()

    found = await other.view.find("a")

    assert found is not None
    assert found.ended.id == "a"
    assert await other.view.find("b") is None


async def test_a_call_of_this_process_is_found_without_asking_anybody() -> None:
    bulletin, one, _ = two()
    one.decides("a")

    assert await one.view.find("a") is not None
    assert (bulletin.reads, bulletin.notes) == (0, [])


async def test_a_burst_is_told_by_its_newest_and_by_how_many_were_left_out() -> None:
    bulletin, one, other = two()
    at = (await other.view.look()).mark()
    one.decides(*map(str, range(MOST_TOLD + 36)))

    await one.view.tell()

    seen = (await other.view.look()).since(at, 1_000)
    assert len(bulletin.notes) == MOST_TOLD
    assert seen.missed == 36
    assert [d.ended.id for d in seen.decisions][::63] == ["36", "99"]


async def test_only_the_latest_of_all_are_shown_however_many_are_kept() -> None:
    bulletin, one, other = two(limit=100)
    for burst in range(3):
        one.decides(*[f"{burst}-{number}" for number in range(MOST_TOLD)])
        await one.view.tell()

    shown = await other.shows()

    assert (len(bulletin.notes), len(shown)) == (3 * MOST_TOLD, 100)
    assert bulletin.reads == 3 * MOST_TOLD // PAGE + 1


async def test_watchers_share_a_look_and_whoever_asks_now_does_not_wait() -> None:
    bulletin, one, other = two()
    await one.view.glance()
    other.decides("a")
    await other.view.tell()

    unseen = (await one.view.glance()).find("a")
    reads = bulletin.reads
    one.clock.at += FRESH_SECONDS
    seen = (await one.view.glance()).find("a")

    assert unseen is None
    assert (reads, bulletin.reads) == (1, 2)
    assert seen is not None


async def test_while_the_others_cannot_be_reached_ones_own_are_shown() -> None:
    bulletin, one, other = two()
    other.decides("a")
    await other.view.tell()
    await one.shows()
    bulletin.down = True
    one.decides("b")

    during = await one.shows()
    bulletin.down = False
    other.decides("c")
    await other.view.tell()

    assert during == ["b", "a"]
    assert await one.shows() == ["c", "b", "a"]


async def test_what_was_told_although_nobody_heard_so_is_shown_once() -> None:
    bulletin, one, other = two()
    bulletin.down, bulletin.lost = True, False
    one.decides("a")
    await one.view.tell()
    bulletin.down = False
    await one.view.tell()

    assert len(bulletin.notes) == 2
    assert await one.shows() == ["a"]
    assert await other.shows() == ["a"]


async def test_what_could_not_be_told_is_told_once_it_can_be() -> None:
    bulletin, one, other = two()
    bulletin.down = True
    one.decides(*map(str, range(MOST_TOLD)))
    await one.view.tell()
    one.decides("a", "b")
    await one.view.tell()
    bulletin.down = False
    at = (await other.view.look()).mark()
    await one.view.tell()

    seen = (await other.view.look()).since(at, 1_000)

    assert (len(seen.decisions), seen.missed) == (MOST_TOLD, 2)
    assert [one.ended.id for one in seen.decisions[-2:]] == ["a", "b"]


async def test_what_another_version_told_is_passed_over() -> None:
    bulletin, one, _ = two()
    bulletin.notes.append(Note("0", b'{"layout":"of another version"}'))
    one.decides("a")

    assert await one.shows() == ["a"]


async def test_what_was_decided_last_is_told_before_the_end() -> None:
    bulletin, one, _ = two()

    async with one.view.kept_up(one.clock.sleep):
        one.decides("a")

    assert len(bulletin.notes) == 1
