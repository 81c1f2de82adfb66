"""Benchmarks as people read them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from fleetview.cli.bench.results import Result, Spread, change_ratio
from fleetview.cli.output import table
from fleetview.present.numbers import count, duration, moment, percent, rate, watts
from fleetview.present.text import DASH

HEADING = ("WHEN", "NODE", "MODEL", "PP", "TG", "READS TOK/S", "WRITES TOK/S", "FIRST TOKEN", "RUNS")
NUMBERS = frozenset((3, 4, 5, 6, 7, 8))
TENTH = 0.1


def block(result: Result, before: Result | None) -> str:
    """One result in full, with what has changed since the one before."""
    rows = (
        ("reads", _reading(result, before)),
        ("writes", _writing(result, before)),
        ("first token", _first(result.time_to_first_token_seconds)),
        ("load", duration(result.load_seconds) + ("" if result.load_seconds is None else ", the last time")),
        ("energy", _energy(result)),
        ("ceiling", _ceiling(result)),
        ("others", _others(result)),
        ("runs", f"{result.runs}, after one that does not count"),
        *((("compared", f"with {moment(before.at)}"),) if before else ()),
    )
    lines = table([(f"  {label}", words) for label, words in rows])
    return f"{result.model} on {result.node}\n{lines}"


def history(results: Iterable[Result]) -> str:
    """A row for each."""
    return table((HEADING, *map(_row, results)), NUMBERS)


def _row(result: Result) -> tuple[str, ...]:
    """A result in short."""
    return (
        moment(result.at),
        result.node,
        result.model,
        _tokens(result.prompt_tokens, result.pp),
        _tokens(result.generated_tokens, result.tg),
        _rates(result, result.prompt_tokens_per_second),
        _rates(result, result.tokens_per_second),
        _first(result.time_to_first_token_seconds),
        str(result.runs),
    )


def _reading(result: Result, before: Result | None) -> str:
    """How fast the prompt is read."""
    now, then = result.prompt_tokens_per_second, before.prompt_tokens_per_second if before else None
    rates = f"{_rates(result, now)} tok/s{_since(now, then)}"
    return f"{rates}, prompts of {_tokens(result.prompt_tokens, result.pp)} tokens"


def _writing(result: Result, before: Result | None) -> str:
    """How fast the answer is written."""
    now, then = result.tokens_per_second, before.tokens_per_second if before else None
    rates = f"{_rates(result, now)} tok/s{_since(now, then)}"
    short = result.generated_tokens.mean < result.tg
    ended = f", as the model ended before the {result.tg} that were asked for" if short else ""
    return f"{rates}, answers of {_tokens(result.generated_tokens, result.tg)} tokens{ended}"


def _tokens(amount: Spread, asked: int) -> str:
    """How many tokens there really were."""
    if amount.mean == asked and not amount.deviation:
        return str(asked)
    return f"{amount.mean:.0f}" if not amount.deviation else f"{amount.mean:.0f} ± {amount.deviation:.0f}"


def _rates(result: Result, rates: Spread | None) -> str:
    """Tokens per second; a tilde where they are by our clock."""
    return ("~" if result.estimated and rates else "") + _pm(rates, rate)


def _pm(values: Spread | None, words: Callable[[float | None], str]) -> str:
    """Mean and deviation."""
    if values is None:
        return DASH
    return words(values.mean) if values.deviation is None else f"{words(values.mean)} ± {words(values.deviation)}"


def _first(seconds: Spread | None) -> str:
    """Time to the first token; short ones in milliseconds, of which a decimal would say nothing."""
    if seconds is None or seconds.mean >= 1:
        return _pm(seconds, duration)
    spread = "" if seconds.deviation is None else f" ± {seconds.deviation * 1e3:.0f}"
    return f"{seconds.mean * 1e3:.0f}{spread} ms"


def _since(now: Spread | None, before: Spread | None) -> str:
    """What has changed."""
    ratio = change_ratio(now, before)
    return "" if ratio is None else f" ({ratio * 100:+.1f} %)"


def _energy(result: Result) -> str:
    """What a token costs."""
    if (gross := result.joules_per_token) is None:
        return DASH
    net = result.net_joules_per_token
    above = f", {_joules(net.mean)} above the {watts(result.idle_watts)} at rest" if net else ""
    spread = "" if gross.deviation is None else f" ± {_joules(gross.deviation)}"
    return f"{_joules(gross.mean)}{spread} for a token{above}"


def _joules(energy: float) -> str:
    """Energy, with its unit."""
    return f"{energy:.1f} J" if abs(energy) >= 1 else f"{energy:.2f} J"


def _ceiling(result: Result) -> str:
    """What the memory's bandwidth allows, and how much of it was reached."""
    if result.ceiling_tokens_per_second is None:
        return DASH
    reached = percent(result.efficiency_ratio)
    return (
        f"{rate(result.ceiling_tokens_per_second)} tok/s by the bandwidth of the memory, of which {reached} was reached"
    )


def _others(result: Result) -> str:
    """What else the node had to do."""
    if result.others_in_flight is None:
        return DASH
    if not result.others_in_flight:
        return "nobody else asked anything"
    return f"up to {count(result.others_in_flight, 'request')} of others at the same time: the figures are lower for it"
