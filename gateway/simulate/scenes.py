"""Templates of what people ask of language models, by kind. Slots are `material`'s.

Data only.
"""

from collections.abc import Mapping
from typing import Any

TEXTS: Mapping[str, tuple[str, ...]] = {
    "greeting": (
        "Hi!",
        "hello there",
        "Hey, are you there?",
        "Good morning, this is {name}.",
        "Thanks, that was all for today!",
    ),
    "question": (
        "What is the capital of the country {city} is in?",
        "In one sentence: what is {topic}?",
        "How long does it take to get from {city} to {city2} by plane?",
        "What does the abbreviation SKU mean?",
        "What is {number} * {small}?",
        "Is {city} north of {city2}? Answer yes or no.",
        "Suggest {small} names for a shop that sells {product}.",
        "Give me a quick recipe for {dish}.",
    ),
    "explanation": (
        "Explain {topic} to a ten-year-old.",
        "What are the main arguments for and against studying {topic} at school?",
        "Explain in detail how {topic} works and where the usual explanation is wrong.",
        "Compare {topic} and {topic2}. What do they have in common?",
        "Why do people at {company} worry about {topic}? Give {small} reasons.",
    ),
    "classification": (
        "Classify the sentiment as one of: positive, negative, neutral.\n\n{ticket}",
        "Which category fits best? Categories: billing, shipping, technical, praise.\n\n{ticket}",
        "Is it spam or not spam? Reply with spam or ham.\n\nWin a free {product} now, {name}!!!",
        "Answer with high, medium or low. How urgent is this?\n\n{ticket}",
        "Label the language of this text. Options: en, de, fr, other.\n\n{text}",
        "Is this about {topic}? Answer yes or no.\n\n{text}",
    ),
    "extraction": (
        "Extract all names, dates and amounts from these minutes:\n\n{text}",
        "Pull out the order number and the product from: {ticket}",
        "Find all companies mentioned below and list them.\n\n{text}",
        "Extract the error messages and count them.\n\n{log}",
    ),
    "summary": (
        "Summarize in three bullet points:\n\n{text}",
        "TL;DR please.\n\n{text}\n\n{text2}",
        "Write a summary of about {small}0 words for {name}, who missed the meeting.\n\n{text}",
        "What are the key points of this thread?\n\n{ticket}\n\n{ticket2}\n\n{ticket3}",
    ),
    "document": (
        "Here are our minutes of the year. What was decided about {city}?\n\n{document}",
        "Summarize the following report for the board of {company}.\n\n{document}",
        "List every commitment with its date and the person responsible.\n\n{document}",
        "Do any two passages contradict each other? Quote them.\n\n{document}",
    ),
    "writing": (
        "Write a friendly e-mail to {name} at {company} moving our meeting to {day}.",
        "Reply to this customer and apologise:\n\n{ticket}",
        "Write a product description for a {product}, about {small}0 words.",
        "Write a short story about {name}, a lighthouse keeper near {city}.",
        "Rewrite this so that it sounds less formal:\n\n{text}",
    ),
    "code": (
        "Write a {language} function that {task}.",
        "Implement a class in {language} that {task}, with unit tests.",
        "Give me a regex that matches an {item} number such as AB-{number}.",
        "What does this do?\n\n```\n{code}\n```",
        "Write a bash script that {task}.",
    ),
    "review": (
        "Review this code for bugs, security and style:\n\n```\n{code}\n```",
        "Refactor the following and explain each change step by step.\n\n```\n{code}\n```",
        "Why is this slow, and what would you do about it?\n\n```\n{code}\n```\n\n{log}",
        "Find the cause of this incident from the log:\n\n{log}",
    ),
    "sql": (
        "Write a SQL query that gives revenue per month from {table}.",
        "Write SQL: the {small} customers in {city} with the most rows in {table}.",
        "Why does this SQL query scan the whole table?\n\n{code}",
    ),
    "reasoning": (
        "Prove {hard}.",
        "Give a complete proof of {hard}, and say which assumption is needed where.",
        "Design {system}. Discuss consistency, failure modes and cost in detail.",
        (
            "{name} has {number} coins, gives a third away, then doubles the rest. Step by step, "
            "what is left after {small} rounds?"
        ),
        "Derive the closed form of a(n) = {small} a(n-1) + n and prove it by induction.",
    ),
    "translation": (
        "Translate into {target}: The {product} will be delivered on {day}.",
        "Translate this message into {target}, keeping the tone:\n\n{ticket}",
        "Proofread and translate into English: Das {item} muss bis {day} unterschrieben werden.",
    ),
    "foreign": (
        "Was ist der Unterschied zwischen einer Rechnung und einem Lieferschein?",
        "Bitte schreiben Sie eine kurze Nachricht an {name}, dass sich der Termin verschiebt.",
        "Pourquoi le ciel est-il bleu ? Expliquez en deux phrases.",
        "¿Qué es la inflación y cómo afecta a los precios en {city}?",
        "请用三句话解释什么是机器学习。",
        "{city}でおすすめの観光地を三つ教えてください。",
        "Объясните, что такое сложный процент.",
        "Explique a diferença entre juros simples e compostos.",
        "ما هي عاصمة أستراليا؟",
        "기계 학습이 무엇인지 간단히 설명해 주세요.",
    ),
    "tools": (
        "What is the weather in {city} and {city2} on {day}?",
        "Book a table for {small} in {city} on {day}.",
        "Where is my order {number}? It should have gone to {city}.",
        "Send {name} an e-mail that the {item} is ready.",
        "Search our handbook for rules about {topic}.",
    ),
    "schema": (
        "Turn this ticket into a record:\n\n{ticket}",
        "Extract the event: {name} meets {name2} in {city} on {day}, room {small}.",
        "Rate the review from 1 to 5 and give reasons.\n\n{ticket}",
    ),
    "image": (
        "What is in this picture?",
        "Describe the colours of this image for a {product} catalogue.",
        "Is there any text in this scan of an {item}?",
    ),
    "follow_up": (
        "Can you make that shorter?",
        "And what about {city}?",
        "Why?",
        "Please rewrite the second point for {name}.",
        "Now do the same for {topic}, and prove each step.",
    ),
}

SYSTEMS: Mapping[str, str] = {
    "classification": "You are a classifier. Reply with the label only.",
    "extraction": "You extract data. Do not add anything that is not in the text.",
    "writing": "You write for {company}. Friendly, clear, no jargon.",
    "code": "You are a senior {language} engineer. Prefer the standard library.",
    "review": "You review code at {company}. Be specific.",
    "tools": "You are the assistant of {company}. Use the tools when they help.",
    "question": "You are a helpful assistant.",
}

# Shares of a hundred calls, roughly as gateways see them: many short, few hard, fewer long.
WEIGHTS: Mapping[str, int] = {
    "greeting": 6,
    "question": 16,
    "explanation": 9,
    "classification": 14,
    "extraction": 7,
    "summary": 7,
    "document": 3,
    "writing": 6,
    "code": 6,
    "review": 4,
    "sql": 3,
    "reasoning": 4,
    "translation": 3,
    "foreign": 4,
    "tools": 4,
    "schema": 2,
    "image": 1,
    "follow_up": 1,
}


def function(name: str, description: str, **properties: Mapping[str, Any]) -> dict[str, Any]:
    """A tool; every property is required."""
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    named = {"name": name, "description": description, "parameters": parameters}
    return {"type": "function", "function": named}


TEXT: Mapping[str, Any] = {"type": "string"}
TOOLS: tuple[dict[str, Any], ...] = (
    function("get_weather", "The weather forecast of a city.", city=TEXT, date=TEXT),
    function(
        "book_table",
        "Book a restaurant table.",
        city=TEXT,
        guests={"type": "integer", "minimum": 1, "maximum": 20},
    ),
    function("find_order", "Where an order is.", order={"type": "integer"}),
    function("send_email", "Send an e-mail.", to=TEXT, subject=TEXT, body=TEXT),
    function("search_handbook", "Search the company's handbook.", query=TEXT),
)

SCHEMAS: tuple[dict[str, Any], ...] = (
    {
        "name": "ticket",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {
                "product": TEXT,
                "urgency": {"type": "string", "enum": ["low", "medium", "high"]},
                "refund": {"type": "boolean"},
            },
            "required": ["product", "urgency", "refund"],
            "additionalProperties": False,
        },
    },
    {
        "name": "event",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {
                "title": TEXT,
                "date": TEXT,
                "people": {"type": "array", "items": TEXT},
                "room": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            },
            "required": ["title", "date", "people", "room"],
            "additionalProperties": False,
        },
    },
    {
        "name": "rating",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {
                "stars": {"type": "integer", "minimum": 1, "maximum": 5},
                "reasons": {"type": "array", "items": TEXT, "minItems": 1},
            },
            "required": ["stars", "reasons"],
            "additionalProperties": False,
        },
    },
)
