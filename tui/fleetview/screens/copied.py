"""Copies a text to the operator's clipboard, and says so."""

from __future__ import annotations

from textual.app import App

from fleetview.clipboard import copy
from fleetview.present import plain


async def copied(app: App[None], text: str, said: str) -> None:
    """Copy it; tell `said`, or why it could not be copied."""
    wrong = await copy(text, app.copy_to_clipboard)
    told = said if wrong is None else f"not copied: {wrong}"
    app.notify(plain(told), severity="information" if wrong is None else "warning", markup=False)
