"""GGUF files, each loaded model in a child process of the agent, through llama-cpp-python."""

from fleetview_agent.backends.llamacpp.backend import LlamaCppBackend

__all__ = ["LlamaCppBackend"]
