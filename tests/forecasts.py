"""Plans of loads by what is known without asking any engine."""

from __future__ import annotations

from typing import Any

from fleetview_agent.gguf import Header, Tensors
from fleetview_agent.needs import LoadSettings
from fleetview_agent.planning.fit import need
from fleetview_agent.planning.forecast import Estimate, Forecast, computed
from fleetview_agent.planning.naming import find_backend, find_model
from fleetview_agent.planning.plan import make_plan
from fleetview_agent.wire import LoadRequest, Plan, Snapshot, SwapRequest
from tests.builders import GIB


def a_header(weights_gib: float) -> Header:
    """A model of 8B dimensions, but with weights of any size."""
    dimensions = {
        "block_count": 32,
        "embedding_length": 4096,
        "feed_forward_length": 14_336,
        "attention.head_count": 32,
        "attention.head_count_kv": 8,
        "vocab_size": 128_256,
    }
    size = int(weights_gib * GIB)
    return Header(
        file_name="new.gguf",
        version=3,
        metadata={"general.architecture": "llama", **{f"llama.{key}": value for key, value in dimensions.items()}},
        text_bytes={},
        array_lengths={},
        tensors=Tensors(1, size, size, "Q4_K"),
        data_start=0,
        file_bytes=size,
        identity="gguf-new",
    )


def a_forecast(
    load: LoadRequest | SwapRequest, node: Snapshot, header: Header | None = None, **changes: Any
) -> Forecast:
    """What the formulas foresee; the weights alone without a header."""
    state = find_backend(load.backend, node)
    file = find_model(state, load.model)
    context = load.options.context or file.default_context
    settings = LoadSettings(context) if context else None
    required = need(header, settings) if header and settings else None
    estimate = computed(required) if required else Estimate(header.tensor_bytes if header else file.size_bytes)
    known: dict[str, Any] = {"context": context, "header": header, "settings": settings, "estimate": estimate}
    return Forecast(**{"load": load, "state": state, "file": file, **known, **changes})


def a_plan_for(
    request: LoadRequest | SwapRequest, node: Snapshot, header: Header | None = None, **changes: Any
) -> Plan:
    """What a request for one model would do."""
    return make_plan(request, node, (a_forecast(request, node, header, **changes),))
