"""What simulated answers say."""

import re

import pytest
from hypothesis import given, settings, strategies as st

from gateway.simulate.prose import MARK, after_tools, reply
from gateway.simulate.reading import Kind, language_of, read
from tests.simulate.world import dice


def say(question: str, system: str = "") -> str:
    text = reply(question, system, dice(3))
    assert text.startswith(MARK + " ")
    return text.removeprefix(MARK + " ")


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Hi there!", Kind.GREETING),
        ("What is 12 * 3?", Kind.SUM),
        ("Summarize this text.", Kind.SUMMARY),
        ("Translate into French: good day", Kind.TRANSLATION),
        ("Write a Python function that sorts", Kind.CODE),
        ("Prove that there are infinitely many primes.", Kind.PROOF),
        ("Extract the names from this", Kind.EXTRACTION),
        ("Write a letter to my landlord", Kind.LETTER),
        ("Is the earth flat? Yes or no?", Kind.YES_NO),
        ("Give me 5 ideas for dinner", Kind.LIST),
        ("Why is the sky blue?", Kind.EXPLANATION),
        ("Classify as one of: red, green or blue.", Kind.LABEL),
    ],
)
def test_a_question_is_known_by_its_looks(question: str, kind: Kind) -> None:
    assert read(question).kind is kind


def test_a_label_is_one_of_those_offered() -> None:
    assert say("Classify into: spam, ham.\n\nBuy now") in ("spam", "ham")
    assert say("Buy now", "Reply with one of: 'spam' or 'ham'.") in ("spam", "ham")
    assert say("Options: cheap, dear.\nIt is a dear, dear thing") == "dear"


@pytest.mark.parametrize(
    "text",
    ["one of these days I will go", "either an invoice", "labels: one", "choose from: ?!, !!"],
)
def test_a_list_that_is_no_choice_offers_no_labels(text: str) -> None:
    assert read(text).labels == ()


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What is 12 + 30?", "12 + 30 = 42"),
        ("12.5 - 3 = ?", "12.5 - 3 = 9.5"),
        ("What's 7 × 6?", "7 × 6 = 42"),
        ("Compute 10 / 4", "10 / 4 = 2.5"),
        ("calculate 1 ÷ 0", "Division by zero is undefined."),
    ],
)
def test_sums_are_right(question: str, answer: str) -> None:
    assert say(question) == answer


def test_a_sum_that_only_the_cut_made_is_not_answered() -> None:
    head, tail = "what is 1 +".rjust(3_000, "."), " 1 thing".ljust(1_000, ".")

    assert read(head + "middle" + tail).kind is Kind.SUM
    assert " = " not in say(head + "middle" + tail)


@pytest.mark.parametrize(
    ("question", "fence"),
    [
        ("Write a function in Rust", "rust"),
        ("Write an SQL query over orders", "sql"),
        ("Implement quicksort", "python"),
        ("Write TypeScript code for a form", "typescript"),
    ],
)
def test_code_comes_in_a_fence_of_its_language(question: str, fence: str) -> None:
    assert f"```{fence}\n" in say(question)


def test_the_length_fits_the_question() -> None:
    short = len(say("Briefly: what is entropy?").split())
    usual = len(
        say("What is entropy and why does it grow? Tell me what a physicist knows.").split()
    )
    long = len(say("Write a detailed essay on entropy.").split())
    counted = len(say("Explain entropy in about 300 words.").split())

    assert short < usual < long
    assert 200 < counted < 400


def test_a_list_has_as_many_items_as_asked_for() -> None:
    assert len(re.findall(r"^\d+\. ", say("List 7 tips for runners."), re.MULTILINE)) == 7
    assert len(re.findall(r"^\d+\. ", say("Suggest 25 names for a dog."), re.MULTILINE)) == 25


def test_a_summary_quotes_the_text() -> None:
    text = "The harvest was late this year. Prices rose by a tenth. Nobody expected the frost."

    assert "- The harvest was late this year." in say(f"Summarize:\n{text}")
    assert say("Summarize it.").startswith("In short:")


def test_an_extraction_lists_what_it_found() -> None:
    found = say("Extract the data: on 2026-01-02 we met Ada Lovelace, ada@x.org, room 7.")

    assert "- names: Ada Lovelace" in found
    assert "- dates: 2026-01-02" in found
    assert "- emails: ada@x.org" in found
    assert "nothing" in say("extract all of it")


def test_a_translation_repeats_what_is_to_be_translated() -> None:
    assert say("Translate into German: good day") == "(translation) good day"


def test_letters_proofs_and_verdicts_look_their_part() -> None:
    assert say("Write an e-mail about the delay").startswith("Subject:")
    assert say("Prove the claim about primes").endswith("∎")
    assert say("Is it so? Answer true or false").split(".")[0] in ("Yes", "No")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Wie ist das Wetter und was kann ich tun?", "de"),
        ("Pourquoi les oiseaux chantent pour nous ?", "fr"),
        ("¿Qué es la inflación y por qué es un problema para los bancos?", "es"),
        ("Como é que você faz uma torta com banana?", "pt"),
        ("Perché il cielo è blu? Puoi dirmi come?", "it"),
        ("Почему небо голубое?", "ru"),
        ("请解释机器学习", "zh"),
        ("おすすめを教えて", "ja"),
        ("기계 학습이란?", "ko"),
        ("ما هي العاصمة", "ar"),
        ("What is the point of this?", "en"),
    ],
)
def test_the_answer_is_in_the_question_s_language(text: str, language: str) -> None:
    assert language_of(text) == language
    assert say(text)


def test_a_greeting_is_returned_in_kind() -> None:
    assert say("Bonjour, je vous salue !").startswith("Bonjour")
    assert say("Hello") == "Hello! How can I help you today?"


def test_tool_results_are_reported() -> None:
    text = after_tools([("find", "one\n two"), ("count", "3")])

    assert text == (
        "[simulated] Based on the results: `find` returned one two. `count` returned 3."
    )


@given(st.text(max_size=300), st.text(max_size=100))
@settings(max_examples=200, deadline=None)
def test_anything_gets_an_answer(question: str, system: str) -> None:
    assert reply(question, system, dice(1)).startswith(MARK)
