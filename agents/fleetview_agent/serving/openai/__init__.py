"""`/v1`: the models of all backends, by OpenAI's names."""

from fleetview_agent.serving.openai.door import Door
from fleetview_agent.serving.openai.routes import openai_routes

__all__ = ["Door", "openai_routes"]
