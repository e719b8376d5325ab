"""The sentences answers are built from. `{a}` is what a question is about, `{b}`, `{c}` more of it.

Data, and `word_set` to write some of it down.
"""

from collections.abc import Mapping


def word_set(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


STOPWORDS = word_set(
    "about after again also always another answer because been before being between both brief "
    "briefly could describe detail does doing down each ever every explain find following from "
    "give have hello help here into just know like list look made make many more most much must "
    "name need never only other over own please question reply same shall should show simple "
    "some such summarize summary tell text than thank that their them then there these they this "
    "those through under using very want well were what when where which while will with word "
    "words would write your yours"
)

GREETINGS: Mapping[str, str] = {
    "en": "Hello! How can I help you today?",
    "de": "Hallo! Wie kann ich Ihnen heute helfen?",
    "fr": "Bonjour ! Comment puis-je vous aider aujourd'hui ?",
    "es": "¡Hola! ¿En qué puedo ayudarte hoy?",
    "pt": "Olá! Como posso ajudar hoje?",
    "it": "Ciao! Come posso aiutarti oggi?",
    "ru": "Здравствуйте! Чем могу помочь?",
    "zh": "你好！今天我能帮您做些什么？",
    "ja": "こんにちは！今日はどのようなご用件でしょうか？",
    "ko": "안녕하세요! 무엇을 도와드릴까요?",
}

EXPLANATIONS = (
    "At its heart, {a} is a way of deciding what matters first and leaving the rest for later.",
    "The usual starting point is {b}, because everything else builds on it.",
    "In practice {a} and {c} are looked at together, since a change in one shows in the other.",
    "A common mistake is to treat {b} as fixed when it depends on the situation.",
    "Consider a small case first: the behaviour of {a} becomes clear before the details do.",
    "The cost grows with {c}, so it pays to keep that part small.",
    "Most of the difficulty comes from the boundary between {a} and what surrounds it.",
    "If {b} is measured rather than guessed, the remaining choices are much easier.",
    "There are exceptions, but they are rare and can be handled one by one.",
    "Historically, {a} was approached the other way round, which worked until it had to scale.",
    "A useful check is to ask what would happen to {c} if the opposite were true.",
    "The trade-off is between doing it quickly and being able to explain {b} afterwards.",
    "Experienced people tend to write down what they expect of {a} before they look.",
    "It also helps to separate what is known about {c} from what is merely likely.",
    "Small, reversible steps are safer here than one large change.",
    "Once that is settled, {a} needs little attention beyond an occasional review.",
    "The same reasoning applies to {b}, with the roles exchanged.",
    "Taken together, these points suggest a simple plan: start with {a}, verify, then extend it.",
)

STEPS = (
    "Let us fix the notation and state what is given about {a}.",
    "The edge cases are the empty input and a single {b}.",
    "By assumption the claim holds for every smaller case, so consider the next one.",
    "Each pass touches {c} once, which keeps the work linear.",
    "Substituting the definition of {a} and simplifying leaves a single term.",
    "The invariant is preserved because {b} never decreases.",
    "If it failed, {c} would contradict the assumption, so it cannot.",
    "Comparing both sides shows that they agree.",
    "A quick test with two or three values of {a} confirms the result.",
)

ITEMS = (
    "Start with {a} and write down what success looks like",
    "Measure {b} before changing anything",
    "Keep {c} small and review it weekly",
    "Ask someone who uses {a} every day",
    "Remove one step that nobody would miss",
    "Automate the part of {b} that repeats",
    "Set a date by which {c} is decided",
    "Compare two options for {a} side by side",
    "Document the reasons, not only the outcome",
    "Try it on a small group first",
)

LETTER = (
    "Subject: Your message\n\nDear reader,\n\nthank you for writing to us. {body}\n\n"
    "Please let us know if anything remains open.\n\nKind regards,\nThe team"
)

DEFAULT_LANGUAGE = "python"
# What a question says → the fence's language; longer names first where one contains another.
LANGUAGES: Mapping[str, str] = {
    "typescript": "typescript",
    "javascript": "javascript",
    "python": "python",
    "golang": "go",
    "rust": "rust",
    "sql": "sql",
    "bash": "bash",
    "shell": "bash",
    "regex": "regex",
    "dockerfile": "dockerfile",
}
CODE: Mapping[str, str] = {
    "python": (
        "def NAME(items: list[int]) -> list[int]:\n"
        '    """Keep the order, drop the duplicates."""\n'
        "    return list(dict.fromkeys(items))"
    ),
    "javascript": "function NAME(items) {\n  return [...new Set(items)];\n}",
    "typescript": "function NAME<T>(items: T[]): T[] {\n  return [...new Set(items)];\n}",
    "go": (
        "func NAME(items []int) []int {\n\tseen := map[int]bool{}\n\tvar out []int\n"
        "\tfor _, item := range items {\n\t\tif !seen[item] {\n\t\t\tseen[item] = true\n"
        "\t\t\tout = append(out, item)\n\t\t}\n\t}\n\treturn out\n}"
    ),
    "rust": (
        "fn NAME(items: &[i64]) -> Vec<i64> {\n    let mut seen = HashSet::new();\n"
        "    items.iter().copied().filter(|item| seen.insert(*item)).collect()\n}"
    ),
    "sql": (
        "SELECT NAME, COUNT(*) AS total\nFROM records\n"
        "WHERE created_at >= DATE '2026-01-01'\nGROUP BY NAME\nORDER BY total DESC\nLIMIT 10;"
    ),
    "bash": "set -euo pipefail\nsort --unique NAME.txt | head --lines=10",
    "regex": r"^[A-Z]{2}\d{4,8}$",
    "dockerfile": 'FROM python:3.12-slim\nCOPY NAME /app\nCMD ["python", "-m", "app"]',
}

OTHER_LANGUAGES: Mapping[str, tuple[str, ...]] = {
    "de": (
        "Bei {a} kommt es vor allem auf die Reihenfolge an.",
        "Zuerst klärt man {b}, danach ergibt sich der Rest fast von selbst.",
        "Ein häufiger Fehler ist, {c} als unveränderlich anzusehen.",
        "In kleinen Schritten lässt sich das Ergebnis jederzeit prüfen.",
    ),
    "fr": (
        "Pour {a}, l'essentiel est de procéder dans le bon ordre.",
        "On commence par {b}, et le reste en découle presque naturellement.",
        "Une erreur fréquente est de considérer {c} comme immuable.",
        "En avançant par petites étapes, on peut vérifier chaque résultat.",
    ),
    "es": (
        "En {a}, lo más importante es el orden de los pasos.",
        "Primero se aclara {b} y después el resto resulta sencillo.",
        "Un error frecuente es pensar que {c} no cambia.",
        "Con pasos pequeños se puede comprobar cada resultado.",
    ),
    "pt": (
        "Em {a}, o mais importante é a ordem dos passos.",
        "Primeiro esclarece-se {b} e depois o resto torna-se simples.",
        "Um erro frequente é pensar que {c} não muda.",
    ),
    "it": (
        "Per {a} conta soprattutto l'ordine dei passaggi.",
        "Prima si chiarisce {b}, poi il resto viene quasi da sé.",
        "Un errore frequente è considerare {c} immutabile.",
    ),
    "ru": (
        "В вопросе «{a}» важнее всего порядок действий.",
        "Сначала уточняют {b}, затем остальное становится простым.",
        "Частая ошибка — считать {c} неизменным.",
    ),
    "zh": (
        "关于{a}，最重要的是先后顺序。",
        "先弄清{b}，其余部分就容易了。",
        "常见的错误是认为{c}不会改变。",
        "分成小步骤可以随时检查结果。",
    ),
    "ja": (
        "{a}については、まず順序が大切です。",
        "最初に{b}を明確にすれば、残りは簡単になります。",
        "よくある間違いは、{c}を変わらないものと考えることです。",
    ),
    "ko": (
        "{a}에서는 순서가 가장 중요합니다.",
        "먼저 {b}을(를) 분명히 하면 나머지는 쉬워집니다.",
        "흔한 실수는 {c}이(가) 변하지 않는다고 생각하는 것입니다.",
    ),
    "ar": (
        "في موضوع {a} يكون الترتيب هو الأهم.",
        "نبدأ بتوضيح {b} ثم يصبح الباقي سهلاً.",
        "من الأخطاء الشائعة اعتبار {c} ثابتاً.",
    ),
}
