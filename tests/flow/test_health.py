"""What is learnt of a deployment's speed when answers come faster than lessons are needed."""

from gateway.call import Usage
from gateway.catalog import Tier
from gateway.flow.health import LESSON_SECONDS, Health
from gateway.route.breaker import Breaker
from gateway.route.pace import SETTLED
from tests.observe.events import a_catalog

USAGE = Usage(100, 100)


def seconds_of(health: Health, now: float) -> float:
    speed = health.speeds(100, now)[Tier.NANO]
    return speed.ttft + 100 * speed.per_output_token


def taught(answers: int, gap: float, seconds: float, health: Health, start: float) -> float:
    """Let so many answers come, `gap` seconds apart; gives the time then."""
    deployment = a_catalog().tiers[Tier.NANO][0]
    for number in range(answers):
        health.answered(deployment, USAGE, start + number * gap - seconds, seconds)
    return start + answers * gap


def test_a_shift_is_followed_within_milliseconds_though_few_of_many_answers_are_lessons() -> None:
    health = Health(a_catalog(), Breaker())
    now = taught(SETTLED, 1.0, 0.5, health, 100.0)
    before = seconds_of(health, now)

    now = taught(500, LESSON_SECONDS / 10, 2.0, health, now)

    assert 0.4 < before < 0.6
    assert 1.5 < seconds_of(health, now) < 2.5


def test_answers_that_come_at_once_teach_a_settled_belief_once() -> None:
    one, many = Health(a_catalog(), Breaker()), Health(a_catalog(), Breaker())
    now = taught(SETTLED, 1.0, 0.5, one, 100.0)
    taught(SETTLED, 1.0, 0.5, many, 100.0)

    taught(1, 1.0, 4.0, one, now)
    taught(9, LESSON_SECONDS / 10, 4.0, many, now)

    assert seconds_of(many, now) == seconds_of(one, now)


def test_a_belief_that_is_not_settled_learns_from_every_answer() -> None:
    once, often = Health(a_catalog(), Breaker()), Health(a_catalog(), Breaker())

    taught(1, 1.0, 4.0, once, 100.0)
    taught(9, LESSON_SECONDS / 10, 4.0, often, 100.0)

    assert seconds_of(often, 101.0) > seconds_of(once, 101.0)
