"""`/v1`: the models of all backends, by OpenAI's names."""

from fleetview_agent.serving.openai.door import Door
from fleetview_agent.serving.openai.routes import build_openai_app, openai_routes

__all__ = ["Door", "build_openai_app", "openai_routes"]
