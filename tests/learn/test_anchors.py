"""The hand-written prompts: parallel, distinct, and honestly split."""

from collections import Counter

from gateway.learn.anchors import anchors


def test_a_third_is_held_out_in_every_language() -> None:
    counts = Counter((a.language, a.held_out) for a in anchors())

    for language in {a.language for a in anchors()}:
        assert counts[language, True] * 2 == counts[language, False]


def test_no_text_is_both_taught_and_held_out() -> None:
    taught = {a.text for a in anchors() if not a.held_out}

    assert not taught & {a.text for a in anchors() if a.held_out}


def test_labels_are_qualities() -> None:
    for anchor in anchors():
        assert 0.0 <= anchor.gain < anchor.full <= 1.0


def test_those_of_a_kind_weigh_the_same() -> None:
    weights = {(a.kind, a.weight) for a in anchors()}

    assert len(weights) == len({kind for kind, _ in weights})
    assert all(weight > 0 for _, weight in weights)
