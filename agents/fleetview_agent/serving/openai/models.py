"""The list of models."""

from __future__ import annotations

from fleetview_agent.agent import Agent
from fleetview_agent.serving.openai.forms import Json


def model_rows(agent: Agent) -> list[Json]:
    """Every usable model, resident ones first."""
    ready = {(state.backend, row.name) for state in agent.states for row in state.resident if row.phase == "ready"}
    rows: list[Json] = [
        {
            "id": f"{state.backend}/{model.name}",
            "object": "model",
            "created": 0,
            "owned_by": state.backend,
            "resident": (state.backend, model.name) in ready,
        }
        for state in agent.states
        for model in state.models
        if model.refusal is None
    ]
    return sorted(rows, key=lambda row: (not row["resident"], row["id"]))
