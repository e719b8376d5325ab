"""One task serves a connection's calls, and nobody is left waiting when it is over."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

from gateway.http.exchange import Exchange
from gateway.http.worker import Worker
from tests.fakes import FakeReply
from tests.flow.replies import body, gated, in_turn, never, whole
from tests.http.edge import asking, edge, post
from tests.http.wires import PATIENCE


@dataclass
class Job:
    """As much of an exchange as a worker looks at."""

    name: str
    disconnected: bool = False
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    then: "Job | None" = None
    cancelled: bool = False
    task: asyncio.Task[None] | None = None


class Bench:
    """A worker, and what it served."""

    def __init__(self) -> None:
        self.running: set[asyncio.Task[None]] = set()
        self.worker = Worker(asyncio.get_running_loop(), self.running, self._serve)
        self.served: list[str] = []

    def give(self, job: Job) -> Job:
        self.worker.serve(cast("Exchange", job))
        return job

    async def _serve(self, exchange: Exchange) -> None:
        job = cast("Job", exchange)
        job.task = asyncio.current_task()
        job.begun.set()
        try:
            await job.go_on.wait()
        except asyncio.CancelledError:
            job.cancelled = True
        self.served.append(job.name)
        if job.then is not None:
            self.give(job.then)
        job.ended.set()


async def happens(event: asyncio.Event) -> None:
    async with asyncio.timeout(PATIENCE):
        await event.wait()


async def is_done(job: Job) -> bool:
    """Whether the task of a job ends by itself."""
    assert job.task is not None
    done, _ = await asyncio.wait([job.task], timeout=PATIENCE)
    return bool(done) and not job.task.cancelled() and job.task.exception() is None


@asynccontextmanager
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    yield made
    made.worker.end()


async def test_calls_one_after_another_are_served_by_one_task() -> None:
    async with bench() as b:
        jobs = []
        for name in "abc":
            jobs.append(b.give(Job(name)))
            jobs[-1].go_on.set()
            await happens(jobs[-1].ended)

    assert b.served == ["a", "b", "c"]
    assert len({job.task for job in jobs}) == 1
    assert await is_done(jobs[0])


async def test_a_task_counts_as_running_only_while_it_works() -> None:
    async with bench() as b:
        job = b.give(Job("a"))
        await happens(job.begun)
        working = set(b.running)
        job.go_on.set()
        await happens(job.ended)
        idle = set(b.running)

    assert working == {job.task}
    assert idle == set()


async def test_a_pipelined_call_does_not_wait_for_its_forerunners_books() -> None:
    async with bench() as b:
        second = Job("b")
        first = Job("a", then=second)
        first.go_on.set()
        b.give(first)
        await happens(second.begun)
        assert first.task is not second.task
        second.go_on.set()
        await happens(second.ended)

        third = b.give(Job("c"))
        third.go_on.set()
        await happens(third.ended)

    assert b.served == ["a", "b", "c"]
    assert third.task is first.task
    assert await is_done(first)
    assert await is_done(second)


async def test_the_call_that_runs_is_the_one_that_is_cancelled() -> None:
    async with bench() as b:
        second = Job("b")
        first = Job("a", then=second)
        first.go_on.set()
        b.give(first)
        await happens(second.begun)
        b.worker.cancel()
        await happens(second.ended)

        third = b.give(Job("c"))
        await happens(third.begun)
        b.worker.cancel()
        await happens(third.ended)

    assert (first.cancelled, second.cancelled, third.cancelled) == (False, True, True)


async def test_a_worker_that_was_never_asked_can_be_cancelled_and_ended() -> None:
    async with bench() as b:
        b.worker.cancel()
        b.worker.end()
        b.worker.end()

    assert b.served == []
    assert b.running == set()


async def test_a_worker_at_rest_ends_with_its_connection() -> None:
    async with bench() as b:
        job = b.give(Job("a"))
        job.go_on.set()
        await happens(job.ended)
        b.worker.end()

        assert await is_done(job)


async def test_a_worker_whose_client_left_does_not_wait_for_more() -> None:
    async with bench() as b:
        job = b.give(Job("a"))
        await happens(job.begun)
        job.disconnected = True
        b.worker.end()
        b.worker.cancel()

        assert await is_done(job)
    assert job.cancelled
    assert b.running == set()


async def test_a_connection_keeps_one_task_over_its_calls() -> None:
    tasks = []
    async with edge() as e:
        wire = await e.dial()
        for _ in range(3):
            assert (await wire.ask(post())).body == body()
            (connection,) = e.connections()
            tasks.append(connection.worker._task)
            await e.until(lambda: not e.server.server_state.tasks)
        (task,) = set(tasks)
        assert task is not None
        assert not task.done()
        wire.hang_up()
        await e.until(task.done)


async def test_a_pipelined_call_is_let_go_when_its_client_is_seen_to_be_gone() -> None:
    """With a call waiting nothing is read, so a hang-up shows only when its turn has come."""
    gate, begun = asyncio.Event(), asyncio.Event()

    async def hold() -> FakeReply:
        begun.set()
        return await never()

    async with edge(in_turn(gated(gate, whole()), lambda _: hold())) as e:
        wire = (await e.dial()).send(post(asking("nano")) + post(asking("full")))
        await e.until(lambda: bool(e.requests) and bool(e.connections()[0].pipeline))
        gate.set()
        assert (await wire.reply()).body == body()
        await begun.wait()
        wire.hang_up()
        first, second = await e.recorder.after(2)

    assert (first.outcome, second.outcome) == ("ok", "caller_left")
