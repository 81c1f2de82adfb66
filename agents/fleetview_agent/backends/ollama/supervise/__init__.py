"""Who runs Ollama's server on this machine, and how it is started and stopped in that one's way."""

from fleetview_agent.backends.ollama.supervise.supervisor import Supervisor

__all__ = ["Supervisor"]
