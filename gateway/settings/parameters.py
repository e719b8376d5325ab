"""What a model takes of a call's parameters: its settings, laid over one another, as the noun."""

from dataclasses import asdict

from gateway.catalog import ALL_PARAMETERS, Parameters
from gateway.settings.tiers import ParameterSettings

ANY = "any"


def merged(base: ParameterSettings, over: ParameterSettings) -> ParameterSettings:
    """What is said in `over` wins, field by field."""
    return base.model_copy(update={name: getattr(over, name) for name in over.model_fields_set})


def parameters(model: ParameterSettings | None, own: ParameterSettings | None) -> Parameters:
    """The noun, of what a model says and of what its deployment says otherwise."""
    said = merged(model or ParameterSettings(), own or ParameterSettings())
    made = Parameters(
        limit="" if said.limit in (None, ANY) else str(said.limit),
        drops=frozenset(said.drops or ()),
        drops_reasoning=frozenset(said.drops_reasoning or ()),
        reasons=said.reasons is not False,
        tools_without_reasoning=bool(said.tools_without_reasoning),
        role="" if said.role in (None, ANY) else str(said.role),
        stream_options=said.stream_options is not False,
    )
    return ALL_PARAMETERS if made == ALL_PARAMETERS else made


def spelled(takes: Parameters) -> str:
    """The same text for the same parameters, "" for all of them."""
    if takes is ALL_PARAMETERS:
        return ""
    said = {n: sorted(v) if isinstance(v, frozenset) else v for n, v in asdict(takes).items()}
    del said["watched"]
    return repr(sorted(said.items()))
