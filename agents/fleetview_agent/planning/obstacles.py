"""What stands against a load, however much room there is. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from fleetview_agent.planning.forecast import Forecast
from fleetview_agent.planning.naming import not_ready
from fleetview_agent.planning.occupancy import Occupant
from fleetview_agent.wire import LoadOptions

PLAIN_VALUES = {None, "f32", "f16", "bf16"}
"""Types of the values in a cache that need no flash attention."""
EVERYWHERE = {"context", "keep"}
"""Options that are no matter of the engine's abilities."""


def asked_for(options: LoadOptions) -> dict[str, object]:
    """What a request says of the engine's own options."""
    return options.model_dump(exclude=EVERYWHERE, exclude_none=True)


def obstacle(forecast: Forecast, occupants: Sequence[Occupant], staying: Collection[str]) -> str | None:
    """Why the model cannot be loaded, with what to do; None where nothing is known against it."""
    itself = next((one for one in occupants if one.target == forecast.target), None)
    return (
        forecast.file.refusal
        or (forecast.header.damage if forecast.header else None)
        or not_ready(forecast.state)
        or forecast.unusable
        or _in_between(itself)
        or _twin(forecast, staying)
        or _unknown_options(forecast)
        or _values_without_flash_attention(forecast)
    )


def _in_between(itself: Occupant | None) -> str | None:
    """That somebody else is about the same model just now."""
    if itself is None or not itself.in_between:
        return None
    return f"{itself.target} is {itself.model.phase} just now, for another client; try again when that is over"


def _twin(forecast: Forecast, staying: Collection[str]) -> str | None:
    """That the backend has the same file in memory by another name, and would load it once only."""
    file = forecast.file
    for other in forecast.state.models:
        target = f"{forecast.state.backend}/{other.name}"
        if file.path is not None and other.path == file.path and other != file and target in staying:
            return f"{file.name} is the same file as {target}, which is resident; use that one, or let it leave"
    return None


def _unknown_options(forecast: Forecast) -> str | None:
    """That the backend has no such options."""
    state = forecast.state
    if not (unknown := [name for name in asked_for(forecast.load.options) if name not in state.load_options]):
        return None
    known = f"; of these it knows {', '.join(state.load_options)}" if state.load_options else ""
    *others, last = unknown
    names, them = (f"{', '.join(others)} and {last}", "them") if others else (last, "it")
    return f"{state.backend} takes no {names} for a single model; leave {them} out{known}"


def _values_without_flash_attention(forecast: Forecast) -> str | None:
    """That the values of the cache would be packed in a way that only flash attention can read."""
    asked, settings = forecast.load.options, forecast.settings
    if not {"flash_attention", "cache_type_v"} & set(asked_for(asked)):
        return None  # the engine's own affair
    packed = settings.cache_type_v if settings else asked.cache_type_v
    is_off = not settings.flash_attention if settings else asked.flash_attention is False
    if packed in PLAIN_VALUES or not is_off:
        return None
    return (
        f"{forecast.target} cannot keep the values of its cache as {packed} without flash attention;"
        " turn flash attention on, or choose f16 for cache_type_v"
    )
