"""Settings of a chat as they are typed, one text for each; a wrong one is told in a plain sentence. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from fleetview.chats.records import Settings


@dataclass(frozen=True)
class Setting:
    """A number that models understand."""

    name: str
    summary: str
    """What it does, in a few words."""
    expected: str
    """What may be typed."""
    whole: bool
    least: float
    most: float = math.inf
    beyond_least: bool = False
    """Whether it must be more than the least, and not equal to it."""

    def value(self, typed: str) -> float | int | None:
        """The number; None for nothing. Raises ValueError with a sentence."""
        text = typed.strip()
        if not text:
            return None
        try:
            value = int(text) if self.whole else float(text)
        except ValueError:
            raise ValueError(self._wrong(text)) from None
        if not self.least <= value <= self.most or (self.beyond_least and value == self.least):
            raise ValueError(self._wrong(text))
        return value

    def _wrong(self, text: str) -> str:
        """The sentence."""
        return f"{self.name} must be {self.expected}, not {text[:20]}; empty leaves it to the model."


SETTINGS = (
    Setting("temperature", "0 is the most certain answer", "a number from 0 to 10", whole=False, least=0, most=10),
    Setting(
        "top_p", "share of likely words", "a number above 0, up to 1", whole=False, least=0, most=1, beyond_least=True
    ),
    Setting("max_tokens", "where an answer ends at the latest", "a whole number from 1 on", whole=True, least=1),
    Setting("seed", "the same seed, the same answer", "a whole number", whole=True, least=-math.inf),
)


class WrongSetting(ValueError):
    """A setting that makes no sense; says so in one sentence."""

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__(sentence)
        self.name = name


def texts_of(settings: Settings) -> Mapping[str, str]:
    """What stands in each field."""
    values = {setting.name: getattr(settings, setting.name) for setting in SETTINGS}
    return {name: "" if value is None else str(value) for name, value in values.items()}


def settings_of(old: Settings, system: str, typed: Mapping[str, str]) -> Settings:
    """The settings after what was typed; those that have no field stay. Raises WrongSetting."""
    values: dict[str, Any] = {}  # Any: each setting has its own kind
    for setting in SETTINGS:
        try:
            values[setting.name] = setting.value(typed.get(setting.name, ""))
        except ValueError as wrong:
            raise WrongSetting(setting.name, str(wrong)) from None
    return replace(old, system=system.strip() or None, **values)
