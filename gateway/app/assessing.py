"""The classifier, as the settings want it."""

from gateway.classify import reader
from gateway.classify.assess import Assessor
from gateway.classify.difficulty import Difficulty
from gateway.classify.priors import GPT_41
from gateway.classify.tokens import Tokenizer
from gateway.settings.schema import Settings


def assessor(settings: Settings) -> Assessor:
    """Assesses calls by the packaged model and priors, or by those that are configured."""
    wanted = settings.routing
    priors = GPT_41._replace(gap=wanted.gap, **wanted.priors)
    return reader.assessor(Tokenizer(), Difficulty.load(wanted.model), priors)
