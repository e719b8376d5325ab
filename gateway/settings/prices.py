"""The settings of prices: of text, of sound and images, and of other ways of processing.

A way of processing is priced as a multiple of the usual price (`priority: 1.75`), or by a list of
its own. What is not said of sound, images or a way of processing is as it is for text.
"""

from typing import Annotated

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema, model_validator

from gateway.money import FREE
from gateway.prices import RENAMED, SERVICE, USUAL, WHOLE, Price
from gateway.settings.section import Section
from gateway.settings.units import Dollars

MOST_TIMES = 100

NUMBER = {"type": "number", "exclusiveMinimum": 0, "maximum": MOST_TIMES}


def multiple(value: object) -> int:
    """Read a multiple, as thousandths."""
    message = f"must be a number from 0.001 to {MOST_TIMES}, to three decimals, such as 0.5"
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(message)  # noqa: TRY004 - pydantic turns only ValueError into a complaint
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 1 / WHOLE <= number <= MOST_TIMES or abs(number * WHOLE - round(number * WHOLE)) > 1e-6:
        raise ValueError(message)
    return round(number * WHOLE)


def service(name: str) -> str:
    """Read the name of a way of processing."""
    if name in USUAL or not SERVICE.fullmatch(name):
        message = "must be a way of processing other than the usual, such as flex or priority"
        raise ValueError(message)
    return RENAMED.get(name, name)


def spread(value: object) -> object:
    """Spread the short form of a way of processing: a multiple."""
    return value if isinstance(value, dict) else {"times": value}


class ServicePriceSettings(Section):
    """What tokens cost that are processed sooner or later: a multiple, or prices of their own."""

    times: Annotated[int, PlainValidator(multiple), WithJsonSchema(NUMBER)] | None = Field(
        default=None, description="How many times the usual price; a bare number is short for it."
    )
    prompt: Dollars | None = Field(default=None, description="Prompt tokens, instead.")
    cached: Dollars | None = Field(
        default=None, description="Prompt tokens the upstream had cached; without it, as `prompt`."
    )
    completion: Dollars | None = Field(default=None, description="Completion tokens.")

    @model_validator(mode="after")
    def _either(self) -> "ServicePriceSettings":
        own = self.prompt is not None and self.completion is not None
        some = self.model_fields_set - {"times"}
        if own == (self.times is not None) or (some and not own):
            message = "needs either `times`, or `prompt` and `completion`"
            raise ValueError(message)
        return self


class KindPriceSettings(Section):
    """What tokens of one kind cost where that is not what text costs."""

    prompt: Dollars | None = Field(default=None, description="Prompt tokens; else as text.")
    cached: Dollars | None = Field(
        default=None,
        description="Prompt tokens the upstream had cached; without it, as `prompt` here.",
    )
    completion: Dollars | None = Field(default=None, description="Completion tokens; else as text.")


ServiceName = Annotated[str, BeforeValidator(service), Field(pattern=r"^[a-z_]+$")]
ServicePrice = Annotated[ServicePriceSettings, BeforeValidator(spread)]


class PriceSettings(Section):
    """What a model costs, in dollars per million tokens."""

    prompt: Dollars = Field(description="Prompt tokens.")
    cached: Dollars | None = Field(
        default=None, description="Prompt tokens the upstream had cached; without it, as `prompt`."
    )
    completion: Dollars = Field(description="Completion tokens, reasoning included.")
    audio: KindPriceSettings | None = Field(
        default=None, description="Tokens of sound: `prompt`, `cached`, `completion`."
    )
    images: KindPriceSettings | None = Field(
        default=None, description="Tokens of images, likewise; left out where they cost as text."
    )
    services: dict[ServiceName, ServicePrice] = Field(
        default_factory=dict,
        description="Prices of other ways of processing (`service_tier`: `flex`, `priority`; "
        "`batch`): how many times the usual, or `{prompt, cached, completion}`.",
    )


class PassedPriceSettings(PriceSettings):
    """What a model costs that is passed on; an embedding has no completion to pay for."""

    completion: Dollars = Field(default=FREE, description="Completion or other output tokens.")


def merged(base: PriceSettings | None, over: PriceSettings) -> PriceSettings:
    """A price of the operator's own: what it does not say of sound, images, services stays."""
    if base is None:
        return over
    kept = {"audio", "images", "services"} - over.model_fields_set
    return over.model_copy(update={name: getattr(base, name) for name in kept})


def priced(said: PriceSettings) -> Price:
    """The noun."""
    cached = said.prompt if said.cached is None else said.cached
    text = Price(said.prompt, cached, said.completion)
    usual = Price(
        text.prompt, text.cached, text.completion, _kind(said.audio, text), _kind(said.images, text)
    )
    services = tuple((name, _way(way, usual)) for name, way in said.services.items())
    return Price(text.prompt, text.cached, text.completion, usual.audio, usual.images, services)


def _kind(said: KindPriceSettings | None, text: Price) -> Price | None:
    if said is None:
        return None
    prompt = text.prompt if said.prompt is None else said.prompt
    cached = text.cached if said.prompt is None else prompt
    return Price(
        prompt,
        cached if said.cached is None else said.cached,
        text.completion if said.completion is None else said.completion,
    )


def _way(said: ServicePriceSettings, usual: Price) -> Price:
    if said.prompt is None or said.completion is None:
        return usual.times(said.times or WHOLE)
    cached = said.prompt if said.cached is None else said.cached
    return Price(said.prompt, cached, said.completion, usual.audio, usual.images)
