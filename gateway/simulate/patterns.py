"""A short text that a regular expression matches.

A sampler by recursive descent over the syntax JSON Schemas use: literals, classes, escapes,
groups, alternatives and counted repetition. Look-arounds and back references are skipped, so
such a pattern gets a best effort.
"""

import re

# A pattern asking for more than this is answered with less than it asks.
LONGEST = 4_096
ESCAPES = {"d": "0", "w": "a", "s": " ", "D": "a", "W": "-", "S": "a"}
CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "0": "\0"}
EMPTY_ESCAPES = "bBAZ"
CANDIDATES = "a0A_- .b1~"
COUNT = re.compile(r"\{(\d{1,6})(,?)(\d{0,6})\}")
HEX = re.compile(r"(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4}))")


def sample(pattern: str, extra: int = 0) -> str:
    """A text for a pattern; open repetitions run `extra` times more than they must."""
    return _Sampler(pattern, extra).alternatives()


class _Sampler:
    """Reads the pattern once, left to right; `at` is the next character."""

    __slots__ = ("at", "extra", "pattern")

    def __init__(self, pattern: str, extra: int) -> None:
        self.pattern = pattern
        self.extra = extra
        self.at = 0

    def alternatives(self) -> str:
        """Branches up to a closing bracket or the end; the first one counts."""
        first = self.sequence()
        while self.peek() == "|":
            self.at += 1
            self.sequence()
        return first

    def sequence(self) -> str:
        text = ""
        while self.peek() not in ("", "|", ")"):
            text = (text + self.repeated(self.atom()))[:LONGEST]
        return text

    def peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def take(self) -> str:
        character = self.peek()
        self.at += 1
        return character

    def atom(self) -> str:
        character = self.take()
        if character == "(":
            return self.group()
        if character == "[":
            return self.one_of()
        if character == "\\":
            return self.escape()
        return {"^": "", "$": "", ".": "a"}.get(character, character)

    def group(self) -> str:
        skipped = False
        if self.peek() == "?":
            self.at += 1
            skipped = self.skip_group_head()
        text = self.alternatives()
        self.at += 1
        return "" if skipped else text

    def skip_group_head(self) -> bool:
        """Move past `?:`, `?<name>` and the like; true when the group matches no text."""
        if self.pattern.startswith(("=", "!", "<=", "<!"), self.at):
            self.at += 2 if self.peek() == "<" else 1
            return True
        named = self.pattern.startswith(("P<", "<"), self.at)
        end = self.pattern.find(">" if named else ":", self.at)
        self.at = end + 1 if end >= 0 else self.at
        return False

    def escape(self) -> str:
        if (found := HEX.match(self.pattern, self.at)) is not None:
            self.at = found.end()
            return chr(int(found[1] or found[2], 16))
        character = self.take()
        if character in EMPTY_ESCAPES:
            return ""
        return ESCAPES.get(character) or CONTROLS.get(character) or character

    def one_of(self) -> str:
        """A character class; the first member, or for a negated class the first stranger."""
        start = self.at
        negated = self.peek() == "^"
        self.at += negated
        first = self.member()
        while self.peek() not in ("", "]"):
            self.member()
        self.at += 1
        if not negated:
            return first
        try:
            allowed = re.compile("[" + self.pattern[start : self.at])
        except re.error:
            return "a"
        return next((each for each in CANDIDATES if allowed.match(each)), "a")

    def member(self) -> str:
        character = self.take()
        if character == "[" and self.peek() == ":":
            self.at = max(self.at, self.pattern.find(":]", self.at) + 2)
            return "a"
        return self.escape() if character == "\\" else character

    def repeated(self, atom: str) -> str:
        least, most = self.quantifier()
        times = min(least + self.extra, most)
        # Bounded before multiplying: repetitions nest.
        return atom * min(times, LONGEST // max(len(atom), 1))

    def quantifier(self) -> tuple[int, int]:
        bounds = {"?": (0, 1), "*": (0, LONGEST), "+": (1, LONGEST)}.get(self.peek())
        if bounds is not None:
            self.at += 1
        elif (found := COUNT.match(self.pattern, self.at)) is not None:
            self.at = found.end()
            least = int(found[1])
            bounds = (least, int(found[3] or LONGEST) if found[2] else least)
        else:
            return 1, 1
        # Lazy and possessive marks change nothing for a sample.
        if self.peek() in ("?", "+"):
            self.at += 1
        return bounds
