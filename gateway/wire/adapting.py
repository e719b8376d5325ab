"""A call's parameters, made to fit the model behind the tier that was chosen for it.

Changed is only what that model would refuse or overlook, by the smallest splice, and each change in
words: a limit's name, members left out, the role of instructions, no reasoning beside tools. A
member that says what holds anyway (`temperature: 1`) stays, and so does everything else.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from gateway.call import Call
from gateway.catalog import Parameters
from gateway.wire.members import Edit, Member, cuts, elements, members, splice
from gateway.wire.reader import look

CHAT = "chat"
LIMITS: Mapping[str, str] = {
    "max_completion_tokens": "max_tokens",
    "max_tokens": "max_completion_tokens",
}
"""The names of a chat answer's limit, each with the other one."""

ROLES: Mapping[str, str] = {"system": "developer", "developer": "system"}
# What holds without them: these values change nothing, and no model refuses them.
NEUTRAL: Mapping[str, tuple[object, ...]] = {
    "temperature": (1,),
    "top_p": (1,),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "logprobs": (False,),
    "verbosity": ("medium",),
}
NO_REASONING = b'"reasoning_effort":"none"'


class Adapted(NamedTuple):
    """The body as it is to be sent, what a reader sees in it, and what was changed."""

    body: bytes
    document: Mapping[str, Any]
    words: tuple[str, ...] = ()


class _Plan:
    """What is to change, collected from what the document says."""

    def __init__(self, call: Call, wants: Parameters) -> None:
        self.document = call.document
        self.chat = call.api == CHAT
        self.seen = call.looked_at()
        self.wants = wants
        self.silenced = self.chat and wants.tools_without_reasoning and self._reasons_with_tools()
        self.renamed = self._limit() if self.chat else ""
        self.role = wants.role if self.chat and self._has_role() else ""
        self.left_out = [name for name in self._refused() if self._says(name)]

    def _effort(self) -> object:
        return self.seen.get("reasoning_effort")

    def _reasons(self) -> bool:
        effort = self._effort()
        return self.wants.reasons if effort is None else effort != "none"

    def _reasons_with_tools(self) -> bool:
        return bool(self.seen.get("tools") or self.seen.get("functions")) and self._reasons()

    def _limit(self) -> str:
        other = LIMITS.get(self.wants.limit, "")
        here = other in self.document and self.document[other] is not None
        return other if here and self.wants.limit not in self.document else ""

    def _has_role(self) -> bool:
        other = ROLES.get(self.wants.role)
        said = self.document.get("messages")
        listed = said if other and isinstance(said, list) else ()
        return any(isinstance(one, dict) and one.get("role") == other for one in listed)

    def _refused(self) -> list[str]:
        names = set(self.wants.drops)
        if self._reasons() and not self.silenced:
            names |= self.wants.drops_reasoning
        if not self.wants.stream_options:
            names.add("stream_options")
        return sorted(names)

    def _says(self, name: str) -> bool:
        said = self.document.get(name)
        return said is not None and said not in NEUTRAL.get(name, ())

    def words(self) -> tuple[str, ...]:
        said = [f"{name} left out" for name in self.left_out]
        if self.renamed:
            said.append(f"{self.renamed} sent as {self.wants.limit}")
        if self.role:
            said.append(f"role {ROLES[self.role]} sent as {self.role}")
        if self.silenced:
            said.append("reasoning_effort none, as there are tools")
        return tuple(said)


def adapt(call: Call, wants: Parameters) -> Adapted:
    """A call's body for a model that takes only these parameters."""
    body, document = call.body, call.document
    plan = _Plan(call, wants)
    words = plan.words()
    if not words:
        return Adapted(body, document)
    gone = frozenset(plan.left_out)
    found = members(body)
    edits = cuts(found, gone)
    seen = {name: value for name, value in document.items() if name not in gone}
    for member in found:
        edits += _edits(member, body, plan)
    if plan.role:
        seen["messages"] = [_with_role(one, plan.role) for one in seen["messages"]]
    if plan.renamed:
        seen[wants.limit] = seen.pop(plan.renamed)
    body = splice(body, edits)
    if plan.silenced and "reasoning_effort" not in seen:
        brace = body.index(b"{") + 1
        body = b"".join((body[:brace], NO_REASONING, b"," if seen else b"", body[brace:]))
    if plan.silenced:
        seen["reasoning_effort"] = "none"
    return Adapted(body, seen, words)


def _with_role(message: object, role: str) -> object:
    if isinstance(message, dict) and message.get("role") == ROLES[role]:
        return {**message, "role": role}
    return message


def _edits(member: Member, body: bytes, plan: _Plan) -> list[Edit]:
    name, start, value, end = member
    if name == plan.renamed and name:
        # Between a key and its value stand one colon and blanks.
        after = body.rindex(b'"', start, value) + 1
        return [Edit(start, after, b'"%b"' % plan.wants.limit.encode())]
    if name == "reasoning_effort" and plan.silenced and name not in plan.left_out:
        return [Edit(value, end, b'"none"')]
    if name == "messages" and plan.role:
        return list(_roles(body, value, end, plan.role))
    return []


def _roles(body: bytes, start: int, end: int, role: str) -> Iterator[Edit]:
    """Edits that give every message of the one role the other."""
    text, other, spelled = body[start:end], ROLES[role], b'"%b"' % role.encode()
    for first, last in elements(text):
        message = text[first:last]
        for one in members(message) if message.startswith(b"{") else ():
            if one.name == "role" and look(message[one.value : one.end]) == other:
                yield Edit(start + first + one.value, start + first + one.end, spelled)
