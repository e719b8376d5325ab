"""A conversation keeps its tier, as far as that pays.

Its cached prompt tokens cost a quarter, and moving up cold costs thirteen to seventeen times a warm
turn. The rules, in order:

- what tools answered goes back to the tier that asked for it;
- after ten idle minutes nothing is cached: the call is chosen for as if it were the first;
- once, a conversation may move up, when a turn is worth it at the price of the cold prefix; from
  then on it stays;
- it moves down only before that, after two easier turns in a row, and never where the cached prefix
  makes the smaller tier the dearer one.

So it moves at most three times and never back and forth. What is remembered is a note of some
eighty characters that any replica can read; a note that cannot be read is none. Times are epoch
seconds and arguments.
"""

from hashlib import blake2b
from typing import NamedTuple

from gateway.call import Usage
from gateway.catalog import Deployment, Tier
from gateway.route.cached import ALL_COLD, KEPT_SECONDS, Warm
from gateway.route.choose import keep_to
from gateway.route.reasons import Candidate, Choice

# How long a note is kept: a tool may take its time, or wait for somebody's consent.
NOTE_SECONDS = 3_600.0
# Turns in a row that a smaller tier would have served before it does.
EASIER_TURNS = 2

_VERSION = "1"
_FIELDS = 9
_PLACE_BYTES = 4
_RESULTS_STAY = "tool results go back to the tier that asked for them"


class Note(NamedTuple):
    """What is remembered of a conversation.

    `tier` is where it was decided to be, `answered` who gave the last answer (another, if that tier
    failed), `place` names the deployment that did. `moved`: its move up is used. `easier` are the
    latest turns in a row that a smaller tier would have served. `warm` is what each tier's prompt
    cache was left with.
    """

    tier: Tier
    answered: Tier
    moved: bool
    easier: int
    at: float
    place: str = ""
    warm: tuple[Warm, Warm, Warm] = ALL_COLD

    def spell(self) -> str:
        """The note as text, at most 120 characters."""
        fields = [
            _VERSION,
            str(int(self.tier)),
            str(int(self.answered)),
            str(int(self.moved)),
            str(self.easier),
            str(int(self.at)),
            self.place or "-",
        ]
        fields += [f"{warm.tokens}@{int(warm.at)}" for warm in self.warm]
        return " ".join(fields)


class Turn(NamedTuple):
    """One turn as it was settled: the choice, and the tier its own prompt would have chosen."""

    choice: Choice
    wanted: Tier


def read(text: str | None) -> Note | None:
    """Read a note; None where there is none, or none that this version wrote."""
    if text is None:
        return None
    version, _, rest = text.partition(" ")
    fields = rest.split(" ")
    if version != _VERSION or len(fields) != _FIELDS:
        return None
    try:
        tier, answered, moved, easier, at = map(int, fields[:5])
        nano, mini, full = [_warm(field) for field in fields[6:]]
        place = "" if fields[5] == "-" else fields[5]
        return Note(Tier(tier), Tier(answered), moved == 1, easier, at, place, (nano, mini, full))
    except ValueError:
        return None


def settle(note: Note | None, choice: Choice, now: float, *, results: bool) -> Turn:
    """The choice for this turn, given what its own prompt would choose.

    `results`: the call hands over what tools answered.
    """
    wanted = choice.chosen.tier
    if note is None:
        return Turn(choice, wanted)
    if results:
        return Turn(keep_to(choice, note.answered, _RESULTS_STAY), wanted)
    if now - note.at > KEPT_SECONDS or _may_move(note, choice):
        return Turn(choice, wanted)
    return Turn(keep_to(choice, note.tier), wanted)


def noted(
    note: Note | None, turn: Turn, usage: Usage, answered: tuple[Tier, Deployment], now: float
) -> Note:
    """What to remember once a turn was answered by a tier's deployment."""
    by, deployment = answered
    decided = turn.choice.chosen.tier
    warm = list(ALL_COLD if note is None else note.warm)
    warm[by] = Warm(usage.prompt, now)
    place, warmth = place_of(deployment), (warm[0], warm[1], warm[2])
    if note is None or now - note.at > KEPT_SECONDS:
        return Note(decided, by, moved=False, easier=0, at=now, place=place, warm=warmth)
    easier = note.easier + 1 if turn.wanted < note.tier and decided is note.tier else 0
    moved = note.moved or decided > note.tier
    return Note(decided, by, moved, min(easier, EASIER_TURNS), now, place, warmth)


def place_of(deployment: Deployment) -> str:
    """A short name for a deployment; its own may be longer than a note."""
    return blake2b(deployment.name.encode(), digest_size=_PLACE_BYTES).hexdigest()


def _may_move(note: Note, choice: Choice) -> bool:
    wanted = choice.chosen
    if note.moved or wanted.tier is note.tier:
        return False
    if wanted.tier > note.tier:
        return True
    if note.easier + 1 < EASIER_TURNS:
        return False
    stays = _candidate(choice, note.tier)
    return stays is None or wanted.cost < stays.cost


def _candidate(choice: Choice, tier: Tier) -> Candidate | None:
    return next((c for c in choice.candidates if c.tier is tier and not c.refused), None)


def _warm(text: str) -> Warm:
    tokens, _, at = text.partition("@")
    return Warm(int(tokens), int(at))
