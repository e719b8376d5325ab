import pytest

from gateway import errors
from gateway.catalog import Tier
from gateway.observe.labels import OTHER, REASONS, TIERS, ModelNames, outcomes
from tests.observe.events import a_catalog


def test_every_error_of_the_tree_is_an_outcome_that_says_what_it_means() -> None:
    found = outcomes()

    kinds = {e.kind for e in vars(errors).values() if isinstance(e, type) and hasattr(e, "kind")}
    assert kinds
    beside = {*errors.UPSTREAM_REPLIES, *errors.ENDS_WITHOUT_ERROR, OTHER}
    assert set(found) == kinds | beside
    assert all(found.values())
    assert found["gateway_internal"] == "A defect of ours; the log has the rest"


def test_errors_defined_elsewhere_do_not_widen_the_set() -> None:
    before = outcomes()

    class Invented(errors.UpstreamError):
        kind = "upstream_invented"

    assert Invented.kind not in outcomes()
    assert outcomes() == before


def test_a_tier_is_its_own_index() -> None:
    assert [TIERS[tier] for tier in Tier] == [tier.label for tier in Tier]


def test_what_is_in_no_set_is_other_and_other_is_in_every_set() -> None:
    assert OTHER in REASONS
    assert OTHER in outcomes()


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("gpt-4.1", "gpt-4.1"),
        ("gpt-4.1-2025-04-14", "gpt-4.1"),
        ("gpt-4.1-nano-2025-04-14", "gpt-4.1-nano"),
        ("gpt-4.1-2025-04", OTHER),
        ("gpt-4.1-2025-4-140", OTHER),
        ("gpt-4.1-abcd-ef-gh", OTHER),
        ("gpt-4.1_2025_04_14", OTHER),
        ("gpt-4.1-nan0", OTHER),
        ("-2025-04-14", OTHER),
        ("", OTHER),
    ],
)
def test_a_dated_snapshot_counts_as_its_model_and_nothing_else_does(name: str, label: str) -> None:
    assert ModelNames(a_catalog()).label(name) == label
