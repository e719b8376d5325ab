"""What is known of the models behind the tiers: a difficulty model of their own, and priors.

The defaults are the GPT-4.1 family's (`gateway.classify.priors`); whoever puts other models behind
the tiers says here what is known of those.
"""

from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field

from gateway.classify.difficulty import DamagedModel, Difficulty


def trained(path: Path) -> Path:
    """Refuse a file that serving could not read, before anything is served."""
    try:
        Difficulty.load(path)
    except OSError:
        message = "must be a file that can be read"
        raise ValueError(message) from None
    except DamagedModel:
        message = "is no difficulty model of this version, or is damaged: train it again"
        raise ValueError(message) from None
    return path


ModelFile = Annotated[Path, AfterValidator(trained)]

PriorName = Literal[
    "tools",
    "long",
    "very_long",
    "some_turns",
    "many_turns",
    "images",
    "sized_code",
    "reasoning",
    "many_demands",
    "schema",
]
KINDS: tuple[str, ...] = get_args(PriorName)

Share = Annotated[float, Field(ge=0, le=1)]
Kept = tuple[Share, Share]
"""The shares of full's quality that nano and mini keep."""
