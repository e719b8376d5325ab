"""The paragraph that asks, and the text beside it."""

import pytest

from gateway.classify.asking import BRIEF, asked
from gateway.classify.given import given, offered

TEXT = (
    "Every finitely generated abelian group is a direct sum of cyclic groups of prime-power order."
)


@pytest.mark.parametrize(
    "asks",
    ["Summarize the text above.", "Translate to French: Good day.", "Thank you!", "翻译成英文"],
)
def test_small_work_beside_a_text_is_judged_alone(asks: str) -> None:
    assert asked(f"{TEXT}\n\n{asks}") == asks
    assert asked(f"{asks}\n\n{TEXT}\n\n{TEXT}") == asks


@pytest.mark.parametrize(
    "task",
    [
        f"{TEXT}\n\nWhy is that so, and does it hold for modules?",
        "Prove the structure theorem of such groups.\n\nThank you!",
        f"Is this right? {TEXT}\n\nThank you!",
        f"{TEXT}\n\nSummarize it. {'Then go on. ' * 30}",
        f"{TEXT} Translate it.",
        "\n\n",
    ],
)
def test_what_the_text_asks_for_stays_part_of_the_task(task: str) -> None:
    assert asked(task) is task


def test_work_with_a_text_of_its_own_is_not_about_the_other() -> None:
    asks = "Translate to French: The train leaves at eight."

    assert asked(f"Prove that {TEXT}\n\n{asks}") == asks
    assert len(asks) < BRIEF


@pytest.mark.parametrize(
    "task",
    [
        'Does it sound happy? "We lost the match."',
        "Nur das Jahr: Der Turm wurde 1889 gebaut.",
        "Ist das höflich? „Schick mir das.“",
        "「駅はどこですか」は何語ですか",
        "住所を見つけて：彼は大阪市に住んでいます。",
    ],
)
def test_a_short_text_that_a_task_brings_along_is_told_by_its_marks(task: str) -> None:
    assert given(task)


@pytest.mark.parametrize(
    "task",
    [
        "Why is the sky blue?",
        'What does "it" mean here?',
        "Note: x",
        f"Say why: {'and so on ' * 40}",
        'First:\nsay "I do not know it".',
        "See https://example.org/a/long/path",
        "Does the train at 15:30 stop at the coast?",
        "彼は何と言いましたか",
    ],
)
def test_other_tasks_bring_no_text_along(task: str) -> None:
    assert not given(task)


@pytest.mark.parametrize(
    "task",
    [
        "Is it red, green or light blue?",
        "¿Es rojo, verde o azul?",
        "Ist es rot, grün oder blau?",
        "красный, зелёный или синий?",
        "这是水果、蔬菜还是肉？",
        "果物、野菜のどれ？",
    ],
)
def test_a_list_of_answers_is_told_by_its_or(task: str) -> None:
    assert offered(task, task.lower())


@pytest.mark.parametrize(
    "task",
    [
        "Is it red or green?",
        "In most of the cases, we would rather not know or ask?",
        "Take the red, green or blue one.",
        f"{'Well then. ' * 40} Is it red, green or blue?",
        "or what?",
    ],
)
def test_other_tasks_offer_no_answers(task: str) -> None:
    assert not offered(task, task.lower())
