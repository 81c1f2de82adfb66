"""Ollama: a server of its own, driven through its HTTP API."""

from fleetview_agent.backends.ollama.backend import OllamaBackend

__all__ = ["OllamaBackend"]
