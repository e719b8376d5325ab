"""The packaged classifier and the default policy, on prompts a person would try first."""

import pytest

from gateway.app.dry import explain
from gateway.classify.assess import Assessor
from gateway.classify.difficulty import Difficulty
from gateway.classify.tokens import Tokenizer
from gateway.flow.health import Health
from gateway.route.breaker import Breaker
from gateway.route.choose import Policy, choose
from gateway.route.target import resolve
from gateway.settings.load import load
from tests.fakes import catalog, wishes

GREETINGS = (
    "Hello!",
    "Hi, how are you today?",
    "Hola, ¿qué tal?",
    "你好",
    "Bonjour",
    "thanks, bye",
)
CLASSIFICATIONS = (
    "Classify the sentiment as positive or negative: The soup was cold and the waiter rude.",
    "Is this spam? Answer yes or no: You won a prize, click here!",
    "Clasifica este comentario como positivo o negativo: Me encantó el servicio.",
    "将这条评论分类为正面或负面：物流很快，包装很好。",
    "Label this ticket as billing, bug or other: I was charged twice this month.",
)
SHORT_BUT_HARD = (
    "Prove that every continuous function on a compact set is uniformly continuous.",
    (
        "My lock-free queue loses items under contention; here is the CAS loop: "
        "while(!tail.compare_exchange_weak(t, n)); find the ABA bug and fix it."
    ),
    "Demuestra que hay infinitos números primos de la forma 4k+3.",
    (
        "Mi cola sin bloqueos pierde elementos bajo contención con dos productores. Encuentra la "
        "condición de carrera y corrígela."
    ),
    "证明：任意有限群的阶数被其子群的阶数整除。",
    "我的无锁队列在高并发下丢失元素，请分析 ABA 问题并给出修复方案。",
)
LONG_BUT_EASY = (
    "Summarize the following text in two sentences: "
    + "The committee met on Tuesday and agreed on the budget for the garden. " * 150,
    "Translate to French: " + "The weather is fine and the children play in the park. " * 100,
)
CATALOG = catalog()
HEALTH = Health(CATALOG, Breaker())


@pytest.fixture(scope="module")
def assessor() -> Assessor:
    return Assessor(Tokenizer(), Difficulty.load())


def tier_of(assessor: Assessor, text: str, model: str = "auto", **more: object) -> str:
    document = {"model": model, "messages": [{"role": "user", "content": text}], **more}
    seen = assessor.assess(document)
    choice = choose(
        seen,
        resolve(model, wishes(), CATALOG),
        wishes(),
        catalog=CATALOG,
        speeds=HEALTH.speeds(seen.text_tokens, 0.0),
        policy=Policy(),
    )
    return choice.chosen.tier.label


@pytest.mark.parametrize("text", GREETINGS + CLASSIFICATIONS)
def test_greetings_and_classifications_go_to_nano(assessor: Assessor, text: str) -> None:
    assert tier_of(assessor, text) == "nano"


@pytest.mark.parametrize("text", SHORT_BUT_HARD)
def test_what_is_short_but_hard_goes_up(assessor: Assessor, text: str) -> None:
    assert tier_of(assessor, text) != "nano"


@pytest.mark.parametrize("text", LONG_BUT_EASY)
def test_what_is_long_but_easy_does_not(assessor: Assessor, text: str) -> None:
    assert tier_of(assessor, text) == "nano"


@pytest.mark.parametrize("text", GREETINGS + SHORT_BUT_HARD)
def test_tools_never_go_to_nano(assessor: Assessor, text: str) -> None:
    tools = [{"type": "function", "function": {"name": "search", "parameters": {}}}]

    assert tier_of(assessor, text, tools=tools) != "nano"


@pytest.mark.parametrize("text", GREETINGS + SHORT_BUT_HARD + LONG_BUT_EASY)
def test_the_same_call_gets_the_same_tier_and_a_pin_is_respected(
    assessor: Assessor, text: str
) -> None:
    assert tier_of(assessor, text) == tier_of(assessor, text)
    assert tier_of(assessor, text, model="gpt-4.1") == "full"
    assert tier_of(assessor, text, model="nano") == "nano"


def test_characters_nobody_sees_buy_no_tier(assessor: Assessor) -> None:
    assert tier_of(assessor, "\u200b\u2060Hello!") == "nano"


def test_a_dry_run_says_the_same_as_serving(assessor: Assessor) -> None:
    settings = load(None, {"GATEWAY_SIMULATE_ENABLED": "true"})
    body = {"model": "auto", "messages": [{"role": "user", "content": SHORT_BUT_HARD[0]}]}

    assert explain(settings, body, {})["tier"] == tier_of(assessor, SHORT_BUT_HARD[0])


def test_a_dry_run_heeds_what_a_caller_would_say() -> None:
    settings = load(None, {"GATEWAY_SIMULATE_ENABLED": "true"})
    body = {"model": "auto", "messages": [{"role": "user", "content": "Hello!"}]}

    told = explain(settings, body, {"X-Gateway-Tier": "full"})

    assert (told["tier"], told["reason"]) == ("full", "tier")
    assert told["plan"][0] == {
        "tier": "full",
        "deployment": "full",
        "model": "gpt-4.1",
        "max_tokens": None,
    }
