"""What templates are filled with: names and things, and invented tickets, logs, code, documents.

Everything is made with the dice it is given; nothing is read or fetched.
"""

import struct
import zlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from random import Random

SLOTS: Mapping[str, tuple[str, ...]] = {
    "name": ("Amara", "Jonas", "Mei", "Priya", "Carlos", "Elif", "Noah", "Sofia", "Kenji", "Zola"),
    "city": ("Lisbon", "Osaka", "Nairobi", "Toronto", "Berlin", "Mumbai", "Denver", "Cape Town"),
    "company": ("Northwind", "Acme Robotics", "Bluebird Foods", "Harbour Bank", "Lumen Health"),
    "product": ("headphones", "coffee machine", "running shoes", "standing desk", "e-bike"),
    "topic": (
        "compound interest",
        "photosynthesis",
        "TCP congestion control",
        "inflation",
        "vaccination",
        "the French Revolution",
        "gradient descent",
        "supply chains",
        "black holes",
        "zoning law",
    ),
    "hard": (
        "the Cauchy–Schwarz inequality",
        "that the square root of 2 is irrational",
        "that every finite integral domain is a field",
        "the spectral theorem",
        "that there are infinitely many primes congruent to 3 modulo 4",
    ),
    "system": (
        "a rate limiter for ten data centres",
        "an event-sourced ledger",
        "a search index",
        "a multi-tenant job scheduler",
        "an offline-first notes application",
    ),
    "language": ("Python", "TypeScript", "Go", "Rust", "Java"),
    "task": (
        "parses ISO 8601 durations",
        "merges overlapping intervals",
        "retries with backoff",
        "streams a CSV file into a database",
        "finds duplicate files",
        "validates IBANs",
    ),
    "dish": ("lentil soup", "mushroom risotto", "shakshuka", "fish tacos", "ramen"),
    "item": ("invoice", "contract", "delivery note", "warranty claim", "purchase order"),
    "day": ("Monday", "Thursday", "15 March", "the 2nd of June", "next Friday"),
    "target": ("German", "Japanese", "Spanish", "French", "Brazilian Portuguese", "Arabic"),
    "table": ("orders", "sessions", "payments", "shipments", "support_tickets"),
}

SENTENCES = (
    "The meeting opened with a review of the {product} line and its margins.",
    "{name} from {company} reported that deliveries to {city} were two weeks late.",
    "Customers praised the design but found the manual confusing.",
    "The committee asked for a second quotation before {day}.",
    "Costs rose by {percent} % against the plan, mostly because of freight.",
    "A pilot in {city} starts on {day} with {number} participants.",
    "Legal will check whether the {item} needs a second signature.",
    "Several participants asked how {topic} relates to the forecast.",
    "The warranty for the {product} is extended to {small} years.",
    "It was agreed to postpone the decision until figures from {company} arrive.",
    "An audit found {small} minor deviations and no major one.",
    "The team in {city} will publish its findings, including the raw data.",
    "Support received {number} tickets, a third of them about billing.",
    "{name} disagreed and asked that this be recorded.",
    "The next milestone is the release of the revised {item} template.",
)

CODE = (
    """\
def total(items, tax=0.19):
    sum = 0
    for i in range(0, len(items)):
        sum += items[i]['price'] * items[i].get('qty', 1)
    return round(sum * (1 + tax), 2)""",
    """\
async function load(ids) {
  const out = []
  for (const id of ids) {
    const r = await fetch('/api/items/' + id)
    out.push(await r.json())
  }
  return out
}""",
    """\
func (c *Cache) Get(key string) (string, bool) {
\tv, ok := c.items[key]
\tif ok && v.expires.Before(time.Now()) {
\t\tdelete(c.items, key)
\t}
\treturn v.value, ok
}""",
    """\
SELECT c.name, SUM(o.total)
FROM customers c, orders o
WHERE c.id = o.customer_id AND o.created_at > '2025-01-01'
GROUP BY c.name
HAVING SUM(o.total) > 1000""",
)

LOG_LINES = (
    "2026-03-0{digit}T10:1{digit}:07Z ERROR payment-api timeout after 30s calling ledger",
    "2026-03-0{digit}T10:1{digit}:09Z WARN  ledger pool exhausted (active={number}, max=50)",
    "2026-03-0{digit}T10:1{digit}:11Z INFO  payment-api retry {digit}/3 for order {number}",
    "2026-03-0{digit}T10:1{digit}:15Z ERROR gateway 504 GET /orders/{number}",
)

TICKETS = (
    "I ordered the {product} {small} weeks ago and it still has not arrived in {city}.",
    "My {product} stopped working after {small} days. I want my money back!",
    "Just wanted to say the new {product} is wonderful, thank you.",
    "I was charged twice for order {number}. Please fix this before {day}.",
    "How do I change the e-mail address of my account? It is {name}@example.com.",
    "The app crashes whenever I open the {item}. Version 4.{digit}.{digit}.",
)


class Filler(dict[str, str]):
    """Fills slots: the same slot with the same thing within one text, `name2` with another."""

    def __init__(self, dice: Random) -> None:
        super().__init__()
        self.dice = dice

    def __missing__(self, slot: str) -> str:
        kind = slot.rstrip("0123456789")
        self[slot] = made = _make(kind, self.dice)
        return made


def _make(kind: str, dice: Random) -> str:
    if kind in SLOTS:
        return dice.choice(SLOTS[kind])
    return MAKERS[kind](dice)


def _log(dice: Random) -> str:
    return "\n".join(fill(dice.choice(LOG_LINES), dice) for _ in range(dice.randint(6, 20)))


def _document(dice: Random) -> str:
    return "\n\n".join(paragraph(dice, 8) for _ in range(dice.randint(20, 120)))


def fill(template: str, dice: Random) -> str:
    """A template with its slots filled."""
    return template.format_map(Filler(dice))


def paragraph(dice: Random, sentences: int) -> str:
    """So many sentences of minutes, notes and reports."""
    return " ".join(fill(dice.choice(SENTENCES), dice) for _ in range(sentences))


MAKERS: Mapping[str, Callable[[Random], str]] = {
    "number": lambda dice: str(dice.randint(100, 9_999)),
    "small": lambda dice: str(dice.randint(2, 9)),
    "digit": lambda dice: str(dice.randint(2, 9)),
    "percent": lambda dice: f"{dice.uniform(1, 40):.1f}",
    "code": lambda dice: dice.choice(CODE),
    "ticket": lambda dice: fill(dice.choice(TICKETS), dice),
    "log": _log,
    "text": lambda dice: paragraph(dice, dice.randint(5, 12)),
    "document": _document,
}


def picture(dice: Random) -> str:
    """A small PNG of one colour, as a data URL."""
    width, height = dice.choice(((64, 64), (320, 200), (512, 512), (1024, 768)))
    row = b"\0" + bytes(dice.randrange(256) for _ in range(3)) * width
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(row * height, 9)),
        (b"IEND", b""),
    )
    png = b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)
    return "data:image/png;base64," + b64encode(png).decode()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
