"""Money is whole nano-dollars; a float never holds a sum.

The cheapest published price that matters, $0.025 per million tokens, is 25 nano-dollars a token,
so token prices are whole numbers and every cost is exact.
"""

from decimal import Decimal, InvalidOperation
from typing import NewType

NanoUSD = NewType("NanoUSD", int)

NANO_PER_USD = 1_000_000_000
FREE = NanoUSD(0)
# Below a million dollars a float divided by a billion still spells every nano-dollar.
EXACT_AS_FLOAT = 10**15


def usd(text: str) -> NanoUSD:
    """Read dollars such as `"0.0125"` exactly; fractions of a nano-dollar are dropped.

    Raises:
        ValueError: when the text is no finite, non-negative decimal number.
    """
    try:
        amount = Decimal(text.strip().removeprefix("$"))
    except InvalidOperation:
        amount = Decimal("NaN")
    # An exponent such as 1e999999999 would make the integer below fill the memory.
    if not amount.is_finite() or amount < 0 or amount.adjusted() > 12:
        message = f"{text[:40]!r} is not a sum of dollars"
        raise ValueError(message)
    return NanoUSD(int(amount * NANO_PER_USD))


def per_million(text: str) -> NanoUSD:
    """Read a price in dollars per million tokens as nano-dollars per token.

    Raises:
        ValueError: when the price is no whole number of nano-dollars per token.
    """
    price = usd(text)
    if price % 1_000_000:
        message = f"${text} per million tokens is not a whole number of nano-dollars per token"
        raise ValueError(message)
    return NanoUSD(price // 1_000_000)


def spell(amount: int) -> str:
    """Write a sum as plain dollars without an exponent: 1_250_000 → `0.00125`."""
    if -EXACT_AS_FLOAT < amount < EXACT_AS_FLOAT:
        return f"{amount / NANO_PER_USD:.9f}".rstrip("0").rstrip(".") if amount else "0"
    whole, fraction = divmod(abs(amount), NANO_PER_USD)
    sign = "-" if amount < 0 else ""
    digits = f"{fraction:09d}".rstrip("0")
    return f"{sign}{whole}.{digits}" if digits else f"{sign}{whole}"
