"""What the tests of choose share."""

from gateway.call import Assessment, Wishes
from gateway.catalog import Tier
from gateway.route.choose import (
    Policy,
    Speed,
    choose,
)
from gateway.route.reasons import Choice
from gateway.route.target import resolve
from tests.fakes import assessment, catalog, wishes

CATALOG = catalog()
SPEEDS = {
    Tier.NANO: Speed(0.4, 0.007),
    Tier.MINI: Speed(0.6, 0.013),
    Tier.FULL: Speed(0.7, 0.013),
}
EASY = assessment(quality=(0.79, 0.795, 0.8))
HARD = assessment(quality=(0.3, 0.45, 0.75))


def chosen(
    seen: Assessment,
    said: Wishes | None = None,
    *,
    name: str = "auto",
    among: object = None,
    policy: Policy | None = None,
) -> Choice:
    said = said or wishes()
    where = CATALOG if among is None else among
    return choose(
        seen,
        resolve(name, said, where),  # type: ignore[arg-type]  # a catalog, when it is given
        said,
        catalog=where,  # type: ignore[arg-type]  # as above
        speeds=SPEEDS,
        policy=policy or Policy(),
    )
