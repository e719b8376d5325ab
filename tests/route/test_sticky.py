"""A conversation keeps its tier as far as that pays; what is remembered is a short note."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, strategies as st

from gateway.call import NO_WISHES, Usage
from gateway.catalog import Tier
from gateway.route.cached import ALL_COLD, COLD, KEPT_SECONDS, Prefixes, Warm
from gateway.route.choose import Chooser, Policy, Speed
from gateway.route.outlook import Outlook
from gateway.route.reasons import Choice
from gateway.route.sticky import EASIER_TURNS, Note, noted, place_of, read, settle
from gateway.route.target import ROUTE_FREELY
from tests.fakes import assessment, catalog

NOW = 1_795_000_000.0
CATALOG = catalog()
CHOOSER = Chooser(CATALOG, Policy())
SPEEDS = dict.fromkeys(Tier, Speed(0.5, 0.01))
EASY, MIDDLING, HARD = (0.79, 0.795, 0.8), (0.5, 0.8, 0.82), (0.2, 0.4, 0.95)
NOTE = Note(Tier.MINI, Tier.FULL, True, 1, NOW, "0a1b2c3d", (COLD, Warm(5_120, NOW), COLD))


@dataclass
class Talk:
    """A conversation that grows by each turn's tokens, as the flow would keep it."""

    tokens: int = 2_000
    at: float = NOW
    note: Note | None = None
    tiers: list[Tier] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    prefixes: Prefixes = field(default_factory=Prefixes)

    def turn(
        self,
        quality: tuple[float, float, float],
        *,
        results: bool = False,
        up: tuple[Tier, ...] = tuple(Tier),
        answered: Tier | None = None,
    ) -> Choice:
        self.note = read(self.note.spell()) if self.note is not None else None
        warm = self.note.warm if self.note is not None else ALL_COLD
        cached = self.prefixes.predict(self.tokens, self.at, warm)
        outlook = Outlook({tier: SPEEDS[tier] for tier in up}, cached=cached)
        seen = assessment(self.tokens, quality=quality, completion=200)
        choice = CHOOSER.choose(seen, ROUTE_FREELY, NO_WISHES, outlook)
        turn = settle(self.note, choice, self.at, results=results)
        by = turn.choice.chosen.tier if answered is None else answered
        usage = Usage(self.tokens, 200)
        deployment = CATALOG.tiers[by][0]
        self.note = noted(self.note, turn, usage, (by, deployment), self.at)
        self.tiers.append(by)
        self.codes.append(turn.choice.code)
        self.tokens += 400
        self.at += 20.0
        return turn.choice


def test_a_note_reads_as_it_was_written_and_is_short() -> None:
    longest = Note(Tier.FULL, Tier.FULL, True, 99, NOW, "f" * 8, (Warm(2_000_000, NOW),) * 3)

    assert read(NOTE.spell()) == NOTE
    assert read(longest.spell()) == longest
    assert len(longest.spell()) <= 120


@pytest.mark.parametrize(
    "text",
    [
        *(None, "", "1", "mini", "2 1 1 0 0 1795000000 - 0@0 0@0 0@0", NOTE.spell() + " 1@1"),
        *("1 7 1 0 0 1795000000 - 0@0 0@0 0@0", "1 1 1 0 0 noon - 0@0 0@0 0@0"),
        "1 1 1 0 0 1795000000 - 0@0 0@0 0",
    ],
)
def test_a_note_that_cannot_be_read_is_none(text: str | None) -> None:
    assert read(text) is None


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(text: str) -> None:
    assert read(text) is None or isinstance(read(text), Note)


def test_a_warm_conversation_stays_and_says_so() -> None:
    talk = Talk()
    talk.turn(MIDDLING)

    choice = talk.turn(EASY)

    assert talk.tiers == [Tier.MINI, Tier.MINI]
    assert choice.code == "sticky"
    assert choice.reasons[0] == "the conversation stays on mini"
    assert choice.chosen.cached > 0


def test_it_moves_up_once_and_then_stays() -> None:
    talk = Talk()

    for quality in (EASY, (0.3, 0.9, 0.92), EASY, EASY, EASY, HARD, EASY):
        talk.turn(quality)

    assert talk.tiers == [Tier.NANO, *[Tier.MINI] * 6]


def test_moving_up_cold_must_be_worth_thirteen_times_a_warm_turn() -> None:
    talk = Talk(tokens=8_000)
    gain = (0.3, 0.6, 0.85)

    talk.turn(MIDDLING)
    warm = talk.turn(gain)

    assert talk.tiers == [Tier.MINI, Tier.MINI]
    full = warm.candidates[Tier.FULL]
    assert 11 < full.cost / warm.chosen.cost < 14
    assert Talk(tokens=8_000).turn(gain).chosen.tier is Tier.FULL


def test_it_moves_down_after_easier_turns_where_that_is_cheaper() -> None:
    talk = Talk()

    for quality in (HARD, EASY, EASY, EASY):
        talk.turn(quality)

    assert talk.tiers == [Tier.FULL, Tier.FULL, Tier.NANO, Tier.NANO]
    assert EASIER_TURNS == 2


def test_it_never_moves_down_to_what_its_cached_prefix_makes_dearer() -> None:
    """Prices a factor of two apart: a cold prompt there costs more than a warm one here."""
    talk = Talk(tokens=50_000)
    for quality in (HARD, EASY):
        talk.turn(quality)
    assert talk.note is not None
    choice = CHOOSER.choose(
        assessment(50_000, quality=EASY), ROUTE_FREELY, NO_WISHES, Outlook(SPEEDS)
    )
    dearer = choice._replace(chosen=choice.chosen._replace(cost=choice.candidates[2].cost))

    assert settle(talk.note, dearer, talk.at, results=False).choice.chosen.tier is Tier.FULL
    assert settle(talk.note, choice, talk.at, results=False).choice.chosen.tier is Tier.NANO


def test_a_single_easier_turn_moves_nothing() -> None:
    talk = Talk()

    for quality in (HARD, EASY, HARD, EASY, HARD):
        talk.turn(quality)

    assert talk.tiers == [Tier.FULL] * 5


def test_tool_results_go_back_to_the_tier_that_asked() -> None:
    talk = Talk()
    talk.turn(EASY)

    choice = talk.turn(HARD, results=True)

    assert choice.chosen.tier is Tier.NANO
    assert choice.reasons[0] == "tool results go back to the tier that asked for them"


def test_they_do_so_even_after_hours_and_to_whoever_stood_in() -> None:
    talk = Talk()
    talk.turn(EASY, answered=Tier.MINI)
    talk.at += 3_000.0

    assert talk.turn(HARD, results=True).chosen.tier is Tier.MINI


def test_a_tier_that_is_down_holds_nobody() -> None:
    talk = Talk()
    talk.turn(EASY)

    choice = talk.turn(EASY, up=(Tier.MINI, Tier.FULL))

    assert choice.chosen.tier is Tier.MINI


def test_after_ten_idle_minutes_it_is_chosen_for_afresh() -> None:
    talk = Talk()
    talk.turn(HARD)
    talk.at += KEPT_SECONDS + 1

    choice = talk.turn(EASY)

    assert choice.chosen.tier is Tier.NANO
    assert talk.note is not None
    assert not talk.note.moved


def test_a_place_names_a_deployment_in_eight_characters() -> None:
    one, other = CATALOG.tiers[Tier.NANO][0], CATALOG.tiers[Tier.FULL][0]

    assert place_of(one) != place_of(other)
    assert len(place_of(one)) == 8
    assert Talk().turn(EASY).chosen.tier is Tier.NANO


turns = st.lists(
    st.tuples(st.sampled_from([EASY, MIDDLING, HARD]), st.booleans(), st.booleans()), max_size=25
)


@given(turns, st.integers(100, 60_000))
def test_it_moves_up_at_most_once_and_at_most_thrice_in_all(
    said: list[tuple[tuple[float, float, float], bool, bool]], tokens: int
) -> None:
    talk = Talk(tokens)

    for quality, results, _ in said:
        talk.turn(quality, results=results)

    moves = [(a, b) for a, b in zip(talk.tiers, talk.tiers[1:], strict=False) if a is not b]
    assert sum(b > a for a, b in moves) <= 1
    assert len(moves) <= 3


@given(turns)
def test_a_move_down_is_never_dearer_than_staying(
    said: list[tuple[tuple[float, float, float], bool, bool]],
) -> None:
    talk = Talk()
    before: Tier | None = None

    for quality, results, _ in said:
        choice = talk.turn(quality, results=results)
        if before is not None and choice.chosen.tier < before:
            assert choice.chosen.cost < choice.candidates[before].cost
        before = choice.chosen.tier
