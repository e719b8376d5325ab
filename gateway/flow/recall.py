"""What earlier calls taught, gathered for the next choice and renewed from its answer.

Speeds belong to `Health`; here are lengths, prompt caches, the pace of allowances and the notes on
conversations. All of it is a guess or a memory: a lost one costs quality or money, never a call.
"""

from typing import NamedTuple

from gateway.call import Assessment, Call, Usage
from gateway.catalog import Capability, Deployment, Tier
from gateway.flow.health import Health
from gateway.flow.parts import Parts, Rules
from gateway.flow.tallies import Tallies
from gateway.holds import Denial, Grant
from gateway.principal import HoldPolicy
from gateway.route.cached import ALL_COLD, FEWEST_TOKENS, Prefixes
from gateway.route.choose import Chooser
from gateway.route.conversation import beginning, conversation, hands_results
from gateway.route.length import Lengths
from gateway.route.outlook import Outlook
from gateway.route.pacing import NO_ALLOWANCE, Course, Pacers
from gateway.route.reasons import Choice
from gateway.route.sticky import NOTE_SECONDS, Note, Turn, noted, read, settle
from gateway.route.target import Target
from gateway.wire.api import APIS

KIND = "conversation"
# More choices than any API gives; a larger number is the upstream's to refuse.
MOST_CHOICES = 128


class Gathered(NamedTuple):
    """What was known of a call when it was chosen for; its answer is compared with it.

    `history` and `name` are the caller's application and conversation, None where it has none.
    """

    seen: Assessment
    turn: Turn
    history: str | None
    name: str | None
    note: Note | None


class Recall:
    """Chooses with all that is remembered, and remembers."""

    def __init__(self, parts: Parts, rules: Rules, health: Health, tallies: Tallies) -> None:
        self._tallies = tallies
        self._policy = rules.routing
        self._chooser = Chooser(parts.catalog, rules.routing)
        self._affinities = parts.affinities
        self._health = health
        self._now = parts.clock.now
        self._wall = parts.clock.wall
        self._lengths = Lengths()
        self._prefixes = Prefixes()
        self._pacers = Pacers()

    async def choose(
        self, call: Call, seen: Assessment, target: Target, *, dry: bool = False
    ) -> Gathered:
        """The choice for a call, its conversation considered; `dry`: nothing will come of it.

        Raises:
            GatewayError: no tier fits.
        """
        tenant, document, now = call.principal.tenant, call.looked_at(), self._wall()
        history = name = note = None
        if (begins := beginning(document)) is not None:
            history = f"{tenant}\n{begins}"
        if target.routed and self._policy.sticky:
            named = conversation(document, call.wishes.session, keeps=_keeps(seen))
            if named is not None:
                name = f"{tenant}\n{named}"
                note = read(await self._affinities.get(KIND, name))
        choice = self._chooser.choose(
            seen, target, call.wishes, self._outlook(call, seen, history, note)
        )
        if not dry and (call.wishes.deadline is not None or call.wishes.ttft is not None):
            self._health.passed(choice)
        results = note is not None and hands_results(document)
        turn = settle(note, choice, now, results=results)
        if name is not None and not dry:
            self._tallies.turned(None if note is None else note.tier, turn.choice.chosen.tier)
        return Gathered(seen, turn, history, name, note)

    def courses(self) -> list[Course]:
        """How every allowance stands that calls came for; for any thread."""
        return self._pacers.courses(self._wall())

    def _outlook(
        self, call: Call, seen: Assessment, history: str | None, note: Note | None
    ) -> Outlook:
        principal, now = call.principal, self._wall()
        price, left = NO_ALLOWANCE
        if principal.levels and self._policy.pacing:
            price, left = self._pacers.purse(principal.levels, now)
        warm = ALL_COLD if note is None else note.warm
        return Outlook(
            self._health.speeds(seen.text_tokens, self._now()),
            self._lengths.predict(seen, history),
            self._prefixes.predict(seen.text_tokens, now, warm, history),
            price,
            left if principal.hold is HoldPolicy.WORST else None,
            choices(call),
            principal.clamp and bool(APIS[call.api].limits),
        )

    def held(self, call: Call, choice: Choice, answer: Grant | Denial) -> None:
        """The ledger's word on a call."""
        granted = isinstance(answer, Grant)
        if isinstance(answer, Grant) and not answer.backed:
            return
        levels, now = call.principal.levels, self._wall()
        self._pacers.noted(levels, choice, answer.standing, now, granted=granted)

    def answered(self, known: Gathered, tier: Tier, usage: Usage) -> None:
        """A whole answer is in, and its bill."""
        if usage.estimated:
            return
        self._lengths.learnt(known.seen, tier, usage.completion, known.history)
        if usage.prompt >= FEWEST_TOKENS:
            expected = [c.cached for c in known.turn.choice.candidates if c.tier is tier]
            self._prefixes.learnt(tier, sum(expected), usage.cached, self._wall(), known.history)

    async def remember(
        self, known: Gathered, tier: Tier, deployment: Deployment, usage: Usage
    ) -> None:
        """Note where a conversation is now."""
        if known.name is not None:
            note = noted(known.note, known.turn, usage, (tier, deployment), self._wall())
            await self._affinities.put(KIND, known.name, note.spell(), NOTE_SECONDS)


def choices(call: Call) -> int:
    """How many answers a call asks for at once."""
    asked = call.looked_at().get("n")
    return min(asked, MOST_CHOICES) if isinstance(asked, int) and asked > 1 else 1


def _keeps(seen: Assessment) -> bool:
    """Whether even a first call leaves something worth coming back to."""
    return seen.text_tokens >= FEWEST_TOKENS or Capability.TOOLS in seen.needs
