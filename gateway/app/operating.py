"""What the operator's commands ask of the product; apart, as serving needs none of it."""

from gateway.app.bench import Asked, Costly, bench
from gateway.app.doctor import doctor
from gateway.app.survey import models

__all__ = ["Asked", "Costly", "bench", "doctor", "models"]
