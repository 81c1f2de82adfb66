"""How much memory a model would take, and whether there is room for it. Pure."""

from fleetview_agent.needs import LoadSettings, Need
from fleetview_agent.planning.fit.sizes import need
from fleetview_agent.planning.fit.verdicts import GPU_MARGIN_BYTES, TIGHT_RATIO, verdict

__all__ = ["GPU_MARGIN_BYTES", "TIGHT_RATIO", "LoadSettings", "Need", "need", "verdict"]
