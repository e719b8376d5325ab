from pathlib import Path

from gateway.observe.families import FAMILIES
from gateway.observe.reference import LABELS, reference

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


def test_the_documented_metrics_are_the_metrics() -> None:
    assert PAGE.read_text() == reference(), "python -m gateway.observe.reference > docs/metrics.md"


def test_every_label_is_explained() -> None:
    used = {label for family in FAMILIES for label in family.labels}

    assert used - {"outcome", "reason"} == set(LABELS)


def test_names_end_in_their_unit() -> None:
    for family in FAMILIES:
        if family.buckets and family.name != "gen_ai_client_token_usage":
            assert family.name.endswith(("_seconds", "_ratio")), family.name
