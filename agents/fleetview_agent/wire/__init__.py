"""Every model that crosses the socket, in both directions.

One JSON object per line. All models are frozen and ignore unknown fields, so that either side may be newer. Raw
units only: bytes, seconds, watts, ratios from 0 to 1, tokens per second. Unknown is `None`, never zero. Times named
`*_at` are seconds since 1970 on the node's clock: good for showing when, never for counting an age.
"""

from fleetview_agent.wire.base import (
    ErrorAnswer,
    ErrorBody,
    Wire,
)
from fleetview_agent.wire.chat import (
    ChatChunk,
    ChatMessage,
    ChatRequest,
    StreamOptions,
    Timings,
    Usage,
)
from fleetview_agent.wire.events import (
    PROTOCOL,
    BackendChanged,
    Event,
    OperationChanged,
    Sampled,
    Served,
    Snapshot,
    decode_event,
)
from fleetview_agent.wire.machine import (
    Machine,
    Pressure,
    Sample,
    Traffic,
)
from fleetview_agent.wire.models import (
    BackendState,
    Failure,
    LoadOptions,
    ModelFile,
    ResidentModel,
)
from fleetview_agent.wire.operations import (
    LONGEST_NAME,
    Confidence,
    LoadRequest,
    Operation,
    Phase,
    PhaseTime,
    Plan,
    Request,
    Result,
    SwapRequest,
    UnloadRequest,
    Verdict,
)

__all__ = [
    "LONGEST_NAME",
    "PROTOCOL",
    "BackendChanged",
    "BackendState",
    "ChatChunk",
    "ChatMessage",
    "ChatRequest",
    "Confidence",
    "ErrorAnswer",
    "ErrorBody",
    "Event",
    "Failure",
    "LoadOptions",
    "LoadRequest",
    "Machine",
    "ModelFile",
    "Operation",
    "OperationChanged",
    "Phase",
    "PhaseTime",
    "Plan",
    "Pressure",
    "Request",
    "ResidentModel",
    "Result",
    "Sample",
    "Sampled",
    "Served",
    "Snapshot",
    "StreamOptions",
    "SwapRequest",
    "Timings",
    "Traffic",
    "UnloadRequest",
    "Usage",
    "Verdict",
    "Wire",
    "decode_event",
]
