"""The reference of metrics, printed from their declarations.

python -m gateway.observe.reference > docs/metrics.md
"""

import sys
from collections.abc import Iterable, Mapping

from gateway.observe import families, labels
from gateway.observe.families import Across
from gateway.wire.surface import AREAS

INTRODUCTION = """# Metrics

This page is printed from the code (`python -m gateway.observe.reference > docs/metrics.md`).

`/metrics` speaks Prometheus' text format, or OpenMetrics to those who ask for it. Durations are
seconds and money is dollars. Every label draws from a closed set: a name that is in none of them,
whoever sent it, is `other`, so the number of series depends on your configuration and never on
your callers. Series appear with their first event. Beside the families below there are the usual
`process_*` and `python_*` ones.

With several workers the page of any of them is the page of all: counters and histograms are added,
also those of workers that have ended, and gauges too, but for those said to be the highest or the
lowest of them; `process_start_time_seconds` is the earliest. What another worker counted is at most
a second old; one that is killed takes that second along.
"""


def _words(words: Mapping[str, str]) -> str:
    return "; ".join(f"`{word}`: {meaning}" for word, meaning in words.items())


LABELS = {
    "tier": "`nano`, `mini`, `full`; `none` for calls that ended before they were routed",
    "deployment": "the names in your configuration, or `other`",
    "model": "the names in your configuration",
    "successor": "the names of models, from your configuration or known",
    "area": ", ".join(f"`{area}`" for area in AREAS),
    "stream": "`true`, `false`",
    "kind": ", ".join(f"`{kind}`" for kind in labels.TOKEN_KINDS),
    "of": ", ".join(f"`{kind}`" for kind in labels.PREDICTED),
    "kept": "`true`, `false`",
    "by": "`routing`: a smaller tier did; `cache`: a reply from memory did",
    "stage": _words(labels.STAGES),
    "queue": _words(labels.QUEUES),
    "fate": _words(labels.SPANS),
    "move": _words(labels.MOVES),
    "level": "`key`, `team`, `organisation`: which kind, never whose; `other`",
    "limit": "`allowance` (money), `requests` and `tokens` a minute, `parallel` calls",
    "store": "`redis`; `disk`: the data directory of one process",
    "error": "`disk`, or what Redis did: " + ", ".join(f"`{kind}`" for kind in labels.STORE_ERRORS),
    "config": "a digest of the settings and the catalog, secrets left out",
    "version": "the version that is running",
    "gen_ai_operation_name": "`chat`",
    "gen_ai_provider_name": "`openai`",
    "gen_ai_request_model": "the model the call was routed to, from your configuration, or `other`",
    "gen_ai_response_model": "the model the upstream says it ran (dated snapshots under their "
    "model's name), or `other`",
    "gen_ai_token_type": "`input`, `output`",
    "error_type": "as `outcome`; absent on success",
}


def reference() -> str:
    """The whole page, as Markdown."""
    parts = [
        INTRODUCTION,
        "## Families\n",
        _table(("name", "type", "labels", "what it says"), _rows()),
    ]
    parts += ["## Buckets\n", "\n".join(_buckets()) + "\n"]
    parts += ["## Labels\n", _table(("label", "values"), _code_first(LABELS))]
    parts += ["## `outcome`, of calls and attempts\n", _meanings(labels.outcomes())]
    parts += ["## `outcome`, of `gateway_cache_total`\n", _meanings(labels.CACHE_OUTCOMES)]
    parts += ["## `outcome`, of `gateway_shared_cache_total`\n", _meanings(labels.SHARED_CACHE)]
    parts += ["## `reason`\n", _meanings(labels.REASONS)]
    return "\n".join(parts)


def _rows() -> Iterable[tuple[str, ...]]:
    for family in families.FAMILIES:
        names = ", ".join(f"`{label}`" for label in family.labels)
        across = "" if family.across is Across.SUM else f" Of workers: the {family.across.value}."
        yield f"`{family.name}`", family.kind.value, names, family.help + across


def _buckets() -> Iterable[str]:
    for family in families.FAMILIES:
        if family.buckets:
            bounds = " ".join(f"{bound:.12g}" for bound in family.buckets)
            yield f"- `{family.name}`: {bounds}"


def _meanings(words: Mapping[str, str]) -> str:
    return _table(("value", "meaning"), _code_first(words))


def _code_first(words: Mapping[str, str]) -> Iterable[tuple[str, ...]]:
    return ((f"`{word}`", meaning) for word, meaning in words.items())


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    sys.stdout.write(reference())
