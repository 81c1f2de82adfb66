"""Benchmarks as people read them."""

from __future__ import annotations

from collections.abc import Iterable

from fleetview.bench.results import Result
from fleetview.cli.output import screen_width, table
from fleetview.present.bench import facts, first, rates, tokens
from fleetview.present.numbers import moment

HEADING = ("WHEN", "NODE", "MODEL", "PP", "TG", "READS TOK/S", "WRITES TOK/S", "FIRST TOKEN", "RUNS")
NUMBERS = frozenset((3, 4, 5, 6, 7, 8))


def block(result: Result, before: Result | None) -> str:
    """One result in full, with what has changed since the one before."""
    lines = table([(f"  {label}", words) for label, words in facts(result, before)], width=screen_width())
    return f"{result.model} on {result.node}\n{lines}"


def history(results: Iterable[Result]) -> str:
    """A row for each."""
    return table((HEADING, *map(_row, results)), NUMBERS, screen_width())


def _row(result: Result) -> tuple[str, ...]:
    """A result in short."""
    return (
        moment(result.at),
        result.node,
        result.model,
        tokens(result.prompt_tokens, result.pp),
        tokens(result.generated_tokens, result.tg),
        rates(result, result.prompt_tokens_per_second),
        rates(result, result.tokens_per_second),
        first(result.time_to_first_token_seconds),
        str(result.runs),
    )
