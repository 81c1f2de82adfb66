"""What is wrong with a node, and what to do about it: the same for the command line and for the dashboard. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from fleetview import __version__
from fleetview.fleet import NodeState, condition, unconnected
from fleetview.present.absence import absence, staleness
from fleetview.present.hints import hint
from fleetview.present.node.readings import absent, absent_of_gpus
from fleetview.present.node.remarks import nonsense
from fleetview.present.text import Line, Tone, left, plain, text_of
from fleetview.present.wrapping import wrapped

if TYPE_CHECKING:
    from fleetview_agent.wire import BackendState, Machine, Sample

Grade = Literal["ok", "note", "wrong"]
_TONES: dict[Grade, Tone] = {"ok": "good", "note": "dim", "wrong": "hot"}
_GRADE = 8
_LONGEST = 2000
_UNDISTURBED = frozenset(("nominal", "moderate"))

_WAYS_BACK: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("no route", "no answer from", "does not answer", "nothing was heard", "timed out", "unreachable"),
        "see that it is switched on, awake and in the network",
    ),
    (("not a fleetview agent",), "see which machine and socket the fleet file names for it"),
    (("no agent answers", "not running", "ended"), "start fleetview-agent there"),
)
"""What stands in the reason why a node is away → what to do about it; the first that holds."""
_USUAL_WAY_BACK = "see on the machine itself that fleetview-agent runs"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    grade: Grade
    about: Literal["connection", "agent", "machine", "figures", "engine", "model"]
    told: str
    """In a sentence."""
    hint: str | None = None
    """What to do about it."""


def health(node: NodeState, now: float, way: str = "") -> tuple[Finding, ...]:
    """All that can be said of a node, from the way to it to its models; `way`: how it is reached."""
    if node.machine is None or condition(node, now) in {"stale", "down", "connecting"}:
        return (Finding("wrong", "connection", _away(node, now), _way_back(node)),)
    return (
        Finding("ok", "connection", f"it answers{f', {way}' if way else ''}"),
        *_agent(node, node.machine),
        *(_machine(node.sample) if node.sample else ()),
        *_engines(node),
    )


def health_lines(findings: tuple[Finding, ...], width: int) -> tuple[Line, ...]:
    """The findings, one below the other, each told to its end."""
    lines: list[Line] = []
    for one in findings:
        told = f"{one.told}: {one.hint}" if one.hint else one.told
        body = wrapped(((plain(told, _LONGEST), "dim" if one.grade == "note" else "plain"),), width - _GRADE, 0)
        labels = (one.grade, *[""] * (len(body) - 1))
        for label, line in zip(labels, body, strict=True):
            lines.append((*left(((label, _TONES[one.grade]),), _GRADE), *line))
    return tuple(lines)


def _away(node: NodeState, now: float) -> str:
    """Why nothing can be said of it."""
    if node.link == "down" and node.reason:
        return node.reason
    return staleness(node, now) if node.heard_at is not None else text_of(absence(node, now))


def _way_back(node: NodeState) -> str | None:
    """What to do about a node that does not answer; None where its reason says so."""
    if node.link != "down":
        return f"{unconnected(node)}; wait for it" if not node.current else "wait for it, or see what holds it up there"
    said = (node.reason or "").casefold()
    if said.endswith(")"):
        return None
    return next((what for words, what in _WAYS_BACK if any(word in said for word in words)), _USUAL_WAY_BACK)


def _agent(node: NodeState, machine: Machine) -> Iterator[Finding]:
    """Whether both sides understand each other."""
    from fleetview_agent.wire import PROTOCOL  # the first paint does not wait for the wire models

    theirs, ours = machine.agent_version, __version__
    told = f"its agent is {theirs}, and fleetview {ours}"
    older = f"upgrade fleetview-agent on {node.name}"
    if node.protocol not in {None, PROTOCOL}:
        told = f"{told}; they speak protocols {node.protocol} and {PROTOCOL}"
        yield Finding("wrong", "agent", told, older if (node.protocol or 0) < PROTOCOL else "upgrade fleetview")
    elif theirs != ours:
        yield Finding("note", "agent", told, older if _parts(theirs) <= _parts(ours) else "upgrade fleetview")
    else:
        yield Finding("ok", "agent", f"its agent is {theirs}, as fleetview; protocol {node.protocol}")
    if node.dropped:
        yield Finding("wrong", "agent", nonsense(node))


def _parts(version: str) -> tuple[int, ...]:
    """A version as numbers that can be compared."""
    return tuple(int(part) for part in re.findall(r"\d{1,9}", version))


def _machine(sample: Sample) -> Iterator[Finding]:
    """Whether it is pressed or held back, and what cannot be read of it."""
    if sample.pressure not in {None, "normal"}:
        evidence = f" ({sample.pressure_evidence})" if sample.pressure_evidence else ""
        told = f"its memory pressure is {sample.pressure}{evidence}"
        yield Finding("wrong" if sample.pressure == "critical" else "note", "machine", told)
    if sample.thermal_state not in {None, "nominal"}:
        grade: Grade = "note" if sample.thermal_state in _UNDISTURBED else "wrong"
        yield Finding(grade, "machine", f"heat holds it back: its thermal state is {sample.thermal_state}")
    for group in (absent(sample), absent_of_gpus(sample)):
        for reason, names in group.items():
            yield Finding("note", "figures", f"no {', '.join(names)}", reason)


def _engines(node: NodeState) -> Iterator[Finding]:
    """Whether its engines run, and what their models suffer from."""
    others = any(state.phase != "missing" for state in node.backends.values())
    for state in node.backends.values():
        yield _engine(node, state, missed=not others)
        for model in state.resident:
            name = f"{state.backend}/{model.name}"
            if model.phase == "failed":
                why = model.failure.reason if model.failure else None
                yield Finding("wrong", "model", f"{name} has failed", why)
            elif model.phase == "orphaned":
                yield Finding("wrong", "model", f"{name} has lost its server", "unload it")
            elif model.remark:
                yield Finding("note", "model", name, model.remark)


def _engine(node: NodeState, state: BackendState, *, missed: bool) -> Finding:
    """Whether an engine runs; `missed`: where it does not, nothing else is there."""
    if state.phase == "ready":
        version = f" {state.version}" if state.version else ""
        return Finding("ok", "engine", f"{state.backend}{version} is ready")
    why = state.failure.reason if state.failure else hint(state, node.name)
    wrong = state.phase == "failed" or missed
    return Finding("wrong" if wrong else "note", "engine", f"{state.backend} is {state.phase}", why)
