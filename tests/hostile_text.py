"""Texts that try to be more than text, and data of the wire that are full of them."""

from __future__ import annotations

import unicodedata
from typing import Any, TypeVar

from fleetview_agent.wire import LONGEST_NAME, Failure, Gpu, Snapshot, Wire
from tests.builders import a_backend_state, a_model_file, a_resident, a_sample, a_snapshot, a_traffic

ESC, BEL, ST = "\x1b", "\x07", "\x1b\\"

NAMES: dict[str, str] = {
    "markup": "[red]m[/red]",
    "click": "[@click=app.quit]m[/]",
    "link": "[link=https://evil.example]m[/link]",
    "unbalanced": "[/foo]m[",
    "escaped markup": r"\[bold]m",
    "variable": "[$error]$m",
    "markdown": "**m**_m_`m`|m|#m",
    "marks": "m" + "\u0301\u0489\u20dd" * 60,
    "leading mark": "\u0301\u0336m",
    "wide": "日本語モデル",
    "half wide": "x日本語モデル",
    "modifier": "\U0001f3fdm👍\U0001f3fd",
    "spacing mark": "\u093fकि\u0903",
    "filler": "\u3164\u115fm",
    "decomposed": unicodedata.normalize("NFD", "Größe각"),
    "picture": "❤\ufe0f1\ufe0f\u20e3",
    "flags": "🇩🇪🇩",
    "right to left": "שלום",
    "very long": "long-" * 2000,
}
"""Texts that can be told in a fleet file too."""
TEXTS: dict[str, str] = {
    **NAMES,
    "colour": f"{ESC}[31;1mm{ESC}[0m",
    "clear": f"{ESC}[2J{ESC}[Hm",
    "cursor": f"{ESC}[5A{ESC}[99Cm{ESC}7{ESC}8",
    "alternate screen": f"{ESC}[?1049lm{ESC}[?1049h{ESC}c",
    "scroll region": f"{ESC}[2;3rm{ESC}[?6h{ESC}M",
    "line drawing": f"{ESC}(0m\x0e",
    "8-bit": "\x9b31mm\x9d0;t\x9c\x90q\x9c\x85\x84",
    "title": f"{ESC}]0;t{BEL}{ESC}]2;t{ST}m",
    "hyperlink": f"{ESC}]8;;https://evil.example{ST}m{ESC}]8;;{ST}",
    "clipboard": f"{ESC}]52;c;ZXZpbA=={BEL}m",
    "device control": f"{ESC}Ptmux;{ESC}{ESC}]0;t{BEL}{ST}m",
    "answer back": f"{ESC}[6n{ESC}[c{ESC}[21tm\x05",
    "backspace": "m\b\b\b\b\bx",
    "carriage return": "m\rx",
    "lines": "m\nx\n\n\nz\x0b\x0c\u2028\u2029\x85m",
    "tabs": "\tm\tx\t",
    "zero": "m\0x\x7f\x07",
    "soft hyphen": "m\u00adx",
    "turned around": "m\u202eexe.\u202dx\u2066y\u2069\u202a\u202b\u202c\u2067\u2068\u061c\u200e\u200f",
    "zero width": "m\u200b\u200c\u200d\u2060\ufeff\U000e0041\u034f",
    "family": "👩\u200d👩\u200d👧\u200d👦",
    "unassigned": "m\u0378\U000e0fff\uffff\U0010ffff\ue000",
    "spaces": "\u3000m\u00a0\u2003x ",
    "controls of any length": "".join(map(chr, (*range(32), *range(0x7F, 0xA0)))) * 20,
}
"""Texts that only a node, a model or a paste can hold."""

FAILURE = Failure(reason="it broke", exit_status=-9, log=("one line", "another"))
FIXED = frozenset(
    {
        "type",
        "protocol",
        "phase",
        "platform",
        "pressure",
        "power_covers",
        "thermal_state",
        "verb",
        "verdict",
        "confidence",
        "result",
        "id",
    }
)
"""Fields whose words the wire has chosen, and what names an operation."""
Model = TypeVar("Model", bound=Wire)


def a_full_snapshot() -> Snapshot:
    """Something in every field."""
    failed = a_resident("broken", phase="failed", failure=FAILURE)
    orphan = a_resident("orphan#1", phase="orphaned", remark="its server is gone")
    reloaded = a_resident(remark="somebody reloaded it")
    unusable = a_model_file("unusable", refusal="it is cut short")
    backends = (
        a_backend_state(
            models=(a_model_file(), unusable), resident=(reloaded, failed, orphan), hint="do this", address="::1"
        ),
        a_backend_state("ollama", phase="failed", failure=FAILURE, hint="do that", models=(), resident=()),
    )
    busy = a_traffic(in_flight=1, source="a log")
    gpus = (Gpu(name="L4", ratio=0.5, reasons={"celsius": "not told"}),) * 2
    unknown = a_sample(power_watts=None, reasons={"power_watts": "not told"}, traffic=(busy,), gpus=gpus)
    return a_snapshot(backends=backends, samples=(unknown,))


def poisoned(model: Model, text: str) -> Model:
    """The model with `text` in every place that a node can fill with text of its own."""
    return type(model).model_validate(_poisoned(model.model_dump(), text))


def _poisoned(value: Any, text: str, key: str = "") -> Any:  # Any: whatever the models dump
    """What a model dumps, with every free text replaced."""
    match value:
        case dict() if key in {"sources", "reasons"}:
            return {**dict.fromkeys(value, text), text: text}
        case dict() if key == "cpu_core_kinds":
            return {text: sum(value.values())}
        case dict() if "verb" in value:
            return {name: _poisoned(one, text[:LONGEST_NAME], name) for name, one in value.items()}
        case dict():
            return {name: _poisoned(one, text, name) for name, one in value.items()}
        case tuple() if key == "backends":  # which are told apart by their names
            first, *others = (_poisoned(one, text) for one in value)
            return (first, *({**one, "backend": f"{text}{place}"} for place, one in enumerate(others)))
        case tuple():
            return tuple(_poisoned(one, text, key) for one in value)
        case str() if key not in FIXED and not (key == "evict" and value == "auto"):
            return text
        case _:
            return value


def commands(text: str) -> set[str]:
    """What a terminal could obey, or would not show, by the names of its characters."""
    return {f"U+{ord(char):04X}" for char in set(text) if _commands(char)}


def _commands(char: str) -> bool:
    """Whether the character is a control, a separator of lines, half of a character, or turns the writing around."""
    turns = unicodedata.bidirectional(char) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    return turns or unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}
