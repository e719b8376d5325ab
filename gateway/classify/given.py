"""Whether a task brings the text along that it is about, or the answers it takes.

"Which mood: happy, sad or calm?" and "The year only: «…»" ask for little, whatever stands in the
text. Told by marks alone (quotation marks, a colon, a list with an "or"), never by a pattern that
can backtrack. It refuses to look at long tasks: there quotation marks and colons say nothing.
"""

from typing import Final

MOST: Final = 300
"""Characters of a task that may be about one short text."""

QUOTED: Final = 6
"""Characters that are a quotation rather than a term."""

LEAST_ASK, MOST_ASK = 4, 80
"""Characters that a request has before its colon."""

CHOICE: Final = 26
"""Characters between the comma and the "or" of a list of answers, and from there to its end."""

_QUOTES: Final = ('""', "“”", "„“", "«»", "「」", "『』", "»«")
_OR: Final = (" or ", " o ", " ou ", " oder ", " oppure ")
_OR_ELSEWHERE: Final = (
    *(*_OR, " или ", " أم ", " أو ", " या ", " 또는 ", " 아니면 "),
    *("还是", "還是", "或", "、それとも"),
)
_WHICH: Final = ("のどれ", "のどちら", " 중 어느", " 중 무엇")
_FORMULA: Final = frozenset("=(<{^\\")
"""Marks of code and formulas: such a text is no plain one."""


def given(task: str) -> bool:
    """Whether a short task is about a plain text that it quotes, or that follows its colon."""
    if len(task) > MOST or "\n" in task:
        return False
    found = _told(task) or ((not task.isascii() or '"' in task) and _quoted(task))
    return found and _FORMULA.isdisjoint(task)


def _quoted(task: str) -> bool:
    for opening, closing in _QUOTES:
        at = task.find(opening)
        if at >= 0 and task.find(closing, at + 1) > at + QUOTED:
            return True
    return False


def _told(task: str) -> bool:
    at = task.find(":")
    if at < 0 and not task.isascii():
        at = task.find("：")
    if not (LEAST_ASK <= at <= MOST_ASK and len(task) - at > QUOTED):
        return False
    # Addresses and times have colons too.
    return not (task[at + 1] == "/" or task[at + 1].isdigit())


def offered(task: str, ends: str) -> bool:
    """Whether a short task lists the answers it takes: "red, green or blue".

    Args:
        task: what is asked.
        ends: the same in lower case, or its head and tail.
    """
    if len(task) > MOST or "\n" in task:
        return False
    if task.isascii():
        return "," in ends and ("?" in ends or ":" in ends) and _listed(ends, _OR)
    if not any([mark in task for mark in "?:？："]):
        return False
    return _listed(ends, _OR_ELSEWHERE) or any([word in ends for word in _WHICH])


def _ends_soon(ends: str, at: int) -> bool:
    return any([mark in ends[at : at + CHOICE] for mark in "?:？："])


def _listed(ends: str, words: tuple[str, ...]) -> bool:
    """Whether a comma and a word or two stand before an "or", and a question's end soon after."""
    for word in words:
        at = ends.find(word)
        if at <= 0:
            continue
        for comma in (", ", "、", "，", "،"):
            before = ends.rfind(comma, max(0, at - CHOICE), at)
            if before > 0 and ends.count(" ", before + 2, at) <= 1:
                return _ends_soon(ends, at + len(word))
    return False
