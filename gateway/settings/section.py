"""What every group of settings is: frozen, and strict about names."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A group of settings; frozen, and strict about names."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
