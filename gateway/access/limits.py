"""Limits as OpenAI tells them: `x-ratelimit-*`, `retry-after`, and the words of a 429.

| denied by | type, code (429) | retrying helps |
|---|---|---|
| a quota, or too many parallel calls | `requests` or `tokens`, `rate_limit_exceeded` | yes |
| the same, by a call over the whole limit | likewise | no |
| an allowance | `insufficient_quota`, likewise | no, until its window is over |
"""

from math import ceil

from gateway.access.spelling import spell_allowance
from gateway.errors import AllowanceSpent, CallerError, GatewayError, RateLimited
from gateway.holds import Claim, Denial, Limited, Meter, Stand, Standing
from gateway.money import NanoUSD, spell
from gateway.principal import Level

NAMES = {"key": "key", "team": "team", "org": "organization"}
WHAT = {
    Limited.REQUESTS: "requests per min (RPM)",
    Limited.TOKENS: "tokens per min (TPM)",
    Limited.PARALLEL: "parallel requests",
}


class TokensLimited(RateLimited):
    """As `RateLimited`, for tokens; OpenAI gives it a type of its own."""

    type = "tokens"


class TooLargeForQuota(CallerError):
    """The call alone is over the whole quota: sent again, it would be refused again."""

    status = 429
    type = "tokens"
    code = "rate_limit_exceeded"
    kind = "policy_rate_limited"


def quota_fields(standing: Standing) -> bytes:
    """The header fields that tell a caller its quotas, each with its line end."""
    requests, tokens = standing.requests, standing.tokens
    fields = b""
    if requests is not None:
        fields = _fields(b"requests", requests)
    if tokens is not None:
        fields += _fields(b"tokens", tokens)
    return fields


def _fields(what: bytes, meter: Meter) -> bytes:
    return (
        b"x-ratelimit-limit-%b: %d\r\nx-ratelimit-remaining-%b: %d\r\nx-ratelimit-reset-%b: %b\r\n"
        % (what, meter.limit, what, meter.remaining, what, spell_wait(meter.reset).encode())
    )


def retry_fields(seconds: float) -> bytes:
    """The header fields that say when to come back; never too early, never at once."""
    milliseconds = max(1, ceil(seconds * 1000))
    return b"retry-after: %d\r\nretry-after-ms: %d\r\n" % (-(-milliseconds // 1000), milliseconds)


def spell_wait(seconds: float) -> str:
    """Write a wait as OpenAI does: `120ms`, `1s`, `8.64s`, `6m0s`, `1h0m0s`."""
    milliseconds = max(0, ceil(seconds * 1000 - 1e-6))
    if 0 < milliseconds < 1000:
        return f"{milliseconds}ms"
    whole, rest = divmod(milliseconds, 1000)
    minutes, whole = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    ending = f"{whole}.{rest:03d}".rstrip("0") if rest else f"{whole}"
    if hours:
        return f"{hours}h{minutes}m{ending}s"
    return f"{minutes}m{ending}s" if minutes else f"{ending}s"


def refusal(denial: Denial, claim: Claim, model: str) -> GatewayError:
    """The error for a claim that was denied; `model` is what the caller asked for.

    A denial's level must be one of its claim's.
    """
    level = next(level for level in claim.levels if level.id == denial.level)
    if denial.limited is Limited.ALLOWANCE:
        return _spent(denial, claim, level)
    where = f"for {model[:120]} in {_named(level.id)} on {WHAT[denial.limited]}"
    limit, requested = _limit(denial.limited, level), _requested(denial.limited, claim)
    wait = denial.retry_after
    if wait is None:
        message = (
            f"Request too large {where}: Limit {limit}, Requested {requested}. The input or "
            "output tokens must be reduced in order to run successfully."
        )
        return TooLargeForQuota(message)
    message = (
        f"Rate limit reached {where}: Limit {limit}, Used {_used(denial, limit)}, "
        f"Requested {requested}. Please try again in {spell_wait(wait)}."
    )
    kind = TokensLimited if denial.limited is Limited.TOKENS else RateLimited
    return kind(message, retry_after=wait)


def _named(level: str) -> str:
    kind, _, name = level.partition(":")
    return f"{NAMES.get(kind, kind)} {name}"


def _limit(limited: Limited, level: Level) -> int:
    limits = {
        Limited.REQUESTS: level.requests_per_minute,
        Limited.TOKENS: level.tokens_per_minute,
        Limited.PARALLEL: level.parallel,
    }
    return limits[limited] or 0


def _requested(limited: Limited, claim: Claim) -> int:
    return claim.tokens if limited is Limited.TOKENS else 1


def _used(denial: Denial, limit: int) -> int:
    """What is used of a limit; all of it where the standing tells of another level's."""
    standing = denial.standing
    meter = standing.tokens if denial.limited is Limited.TOKENS else standing.requests
    if denial.limited is Limited.PARALLEL or meter is None or meter.limit != limit:
        return limit
    return meter.limit - meter.remaining


def _spent(denial: Denial, claim: Claim, level: Level) -> AllowanceSpent:
    message = (
        "You exceeded your current quota, please check the allowance of "
        f"{_named(level.id)}: this call may cost ${spell(claim.amount)}"
    )
    stand = _tightest(denial.standing, level.id, claim.amount)
    if stand is not None:
        held = f" and ${spell(stand.held)} set aside for calls under way" if stand.held else ""
        message += (
            f", and of {_allowance(stand, level)} there are ${spell(stand.settled)} spent{held}"
        )
    if denial.retry_after is not None:
        message += f". Please try again in {spell_wait(denial.retry_after)}"
    return AllowanceSpent(message + ".", retry_after=denial.retry_after)


def _tightest(standing: Standing, level: str, amount: NanoUSD) -> Stand | None:
    """The allowance of a level that does not hold an amount."""
    found = [one for one in standing.allowances if one.level == level and one.remaining < amount]
    return min(found, key=_remaining, default=None)


def _remaining(stand: Stand) -> int:
    return stand.remaining


def _allowance(stand: Stand, level: Level) -> str:
    for said in level.allowances:
        if said.amount == stand.amount:
            return spell_allowance(said)
    return f"${spell(stand.amount)}"
