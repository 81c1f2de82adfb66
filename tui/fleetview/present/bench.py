"""What was measured, in words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rich.cells import cell_len

from fleetview.bench.book import Kept
from fleetview.bench.results import Result, Spread, change_ratio
from fleetview.bench.task import FULL, QUICK, Lengths, Task
from fleetview.present.numbers import count, duration, moment, percent, rate, watts
from fleetview.present.text import DASH, ELLIPSIS, Line, Tone, cut_line, left, plain
from fleetview.present.wrapping import wrapped

UNMEASURED = "not measured"
"""How the step of a model begins of which there are no figures."""
_LABEL = 14
_SHOWN = frozenset({"reads", "writes", "first token", "energy", "others", "compared"})
"""What a dialog tells of a result; the command line tells it whole."""


def facts(result: Result, before: Result | None) -> tuple[tuple[str, str], ...]:
    """One result in full, with what has changed since the one before: labels and words."""
    return (
        ("reads", _reading(result, before)),
        ("writes", _writing(result, before)),
        ("first token", first(result.time_to_first_token_seconds)),
        ("load", duration(result.load_seconds) + ("" if result.load_seconds is None else ", the last time")),
        ("energy", _energy(result)),
        ("ceiling", _ceiling(result)),
        ("others", _others(result)),
        ("runs", f"{result.runs}, after one that does not count"),
        *((("compared", f"with {moment(before.at)}"),) if before else ()),
    )


def _reading(result: Result, before: Result | None) -> str:
    """How fast the prompt is read."""
    now, then = result.prompt_tokens_per_second, before.prompt_tokens_per_second if before else None
    speed = f"{rates(result, now)} tok/s{_since(now, then)}"
    return f"{speed}, prompts of {tokens(result.prompt_tokens, result.pp)} tokens"


def _writing(result: Result, before: Result | None) -> str:
    """How fast the answer is written."""
    now, then = result.tokens_per_second, before.tokens_per_second if before else None
    speed = f"{rates(result, now)} tok/s{_since(now, then)}"
    short = result.generated_tokens.mean < result.tg
    ended = f", as the model ended before the {result.tg} that were asked for" if short else ""
    return f"{speed}, answers of {tokens(result.generated_tokens, result.tg)} tokens{ended}"


def tokens(amount: Spread, asked: int) -> str:
    """How many tokens there really were."""
    if amount.mean == asked and not amount.deviation:
        return str(asked)
    return f"{amount.mean:.0f}" if not amount.deviation else f"{amount.mean:.0f} ± {amount.deviation:.0f}"


def rates(result: Result, rates: Spread | None) -> str:
    """Tokens per second; a tilde where they are by our clock."""
    return ("~" if result.estimated and rates else "") + _pm(rates, rate)


def _pm(values: Spread | None, words: Callable[[float | None], str]) -> str:
    """Mean and deviation."""
    if values is None:
        return DASH
    return words(values.mean) if values.deviation is None else f"{words(values.mean)} ± {words(values.deviation)}"


def first(seconds: Spread | None) -> str:
    """Time to the first token; short ones in milliseconds, of which a decimal would say nothing."""
    if seconds is None or seconds.mean >= 1:
        return _pm(seconds, duration)
    spread = "" if seconds.deviation is None else f" ± {seconds.deviation * 1e3:.0f}"
    return f"{seconds.mean * 1e3:.0f}{spread} ms"


def _since(now: Spread | None, before: Spread | None) -> str:
    """What has changed."""
    ratio = change_ratio(now, before)
    return "" if ratio is None else f" ({ratio * 100:+.1f}%)"


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


def offer(lengths: Lengths, tasks: Sequence[Task], width: int) -> tuple[Line, ...]:
    """What measuring will do, before it begins."""
    choices: Line = tuple(
        (f"{'▸' if one == lengths else ' '} {name}  ", "strong" if one == lengths else "dim")
        for name, one in (("quick", QUICK), ("full", FULL))
    )
    does = (
        f"Reads prompts of {lengths.pp} tokens and writes answers of {lengths.tg}, {lengths.runs} times after one that "
        "does not count. Its requests wait behind those of others, and others wait behind them."
    )
    names = tuple(cut_line(((f"{plain(task.model)} on {plain(task.node)}", "plain"),), width) for task in tasks)
    return (choices, (), *wrapped(((does, "dim"),), width, indent=0), (), *names)


def progress(
    tasks: Sequence[Task], steps: Mapping[tuple[str, str], str], results: Mapping[tuple[str, str], Kept], width: int
) -> tuple[Line, ...]:
    """How far every model is; what was measured, with what was measured before beside it."""
    lines: list[Line] = []
    names = {task.key: f"{plain(task.model)} on {plain(task.node)}  " for task in tasks}
    widest = max(map(cell_len, names.values()), default=0)
    for task in tasks:
        kept = results.get(task.key)
        step = "done" if kept else steps.get(task.key, f"waits {ELLIPSIS}")
        name: Line = ((names[task.key], "strong"),)
        aligned = left(name, widest) if widest + cell_len(step) <= width else name
        tone: Tone = "good" if kept else "warm" if step.startswith(UNMEASURED) else "accent"
        lines += wrapped((*aligned, (plain(step), tone)), width)
        rows = facts(kept.result, kept.before) if kept else ()
        for label, words in rows:
            if label in _SHOWN:
                lines += wrapped(((f"  {label}".ljust(_LABEL), "dim"), (words, "plain")), width, indent=_LABEL)
        if kept and kept.trouble:
            lines += wrapped(((plain(kept.trouble), "warm"),), width)
    return tuple(lines)
