"""GGUF files, the form in which models come for llama.cpp: what their headers tell without loading anything."""

from fleetview_agent.gguf.cursor import GgufError
from fleetview_agent.gguf.header import Header, Tensors
from fleetview_agent.gguf.reader import read_header

__all__ = ["GgufError", "Header", "Tensors", "read_header"]
