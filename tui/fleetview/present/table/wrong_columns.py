"""Columns that a fleet file or an operator names, and there are not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fleetview.config_errors import Finding, instead
from fleetview.present.table.columns import COLUMNS


def wrong_columns(document: Mapping[str, Any]) -> Iterator[Finding]:  # Any: a parsed file, of which nothing is certain
    """Columns in a fleet file that there are not."""
    section = document.get("ui")
    if not isinstance(section, Mapping):
        return
    listed = section.get("columns")
    for place, name in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(name, str) and name not in COLUMNS:
            yield ("ui", "columns", place), wrong_column(name)
    name = section.get("sort")
    if isinstance(name, str) and name not in COLUMNS:
        yield ("ui", "sort"), wrong_column(name)


def wrong_column(name: str) -> str:
    """Why a name is no column, with the nearest that is one."""
    known = ", ".join(COLUMNS)
    return f"there is no column {name}{instead(name, COLUMNS, f'there are {known}')}"
