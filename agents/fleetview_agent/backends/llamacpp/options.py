"""How a model is loaded: as asked for, else as the settings file says."""

from __future__ import annotations

import os

from fleetview_agent.config import LlamaCppConfig
from fleetview_agent.errors import Unusable
from fleetview_agent.needs import LoadSettings
from fleetview_agent.wire import LoadOptions

OPTIONS = (
    "batch",
    "flash_attention",
    "cache_type_k",
    "cache_type_v",
    "gpu_layers",
    "mmap",
    "mlock",
    "threads",
    "chat_template",
)
"""What can be said of a load besides its context."""


def in_full(asked: LoadOptions, config: LlamaCppConfig, context: int) -> LoadOptions:
    """Every option with a value, but for a chat template, where the file's own is meant, and for the time to stay."""
    configured = config.model_dump(include=set(OPTIONS)) | {"threads": config.threads or _all_cores_but_one()}
    named = asked.model_dump(include=set(OPTIONS), exclude_none=True)
    options = LoadOptions(**(configured | named), context=context)
    return options.model_copy(update={"batch": min(options.batch or context, context)})


def settings(options: LoadOptions) -> LoadSettings:
    """What decides about the memory, of options that are given in full."""
    assert options.context
    assert options.batch
    assert options.flash_attention is not None
    assert options.cache_type_k
    assert options.cache_type_v
    return LoadSettings(
        context=options.context,
        batch=options.batch,
        flash_attention=options.flash_attention,
        cache_type_k=options.cache_type_k,
        cache_type_v=options.cache_type_v,
    )


def require_readable(template: str | None) -> None:
    """Raise Unusable for a chat template that is none."""
    if template is None:
        return
    import jinja2  # comes with llama.cpp; few loads need it

    try:
        jinja2.Environment(autoescape=False, extensions=["jinja2.ext.loopcontrols"]).parse(template)  # noqa: S701 - no web page
    except jinja2.TemplateError as problem:
        raise Unusable(f"the chat template is damaged: {problem.message}", "give another one, or none") from problem


def difference(asked: LoadOptions, loaded: LoadOptions) -> str | None:
    """What is not as it was asked for, in words; None where nothing is. What was not named does not matter."""
    for name in OPTIONS:
        wanted, there = getattr(asked, name), getattr(loaded, name)
        if wanted is not None and wanted != there:
            return "another chat template" if name == "chat_template" else f"{name} {there}, not {wanted}"
    return None


def _all_cores_but_one() -> int:
    """Threads that leave the agent and the clients their turn."""
    return max(1, (os.cpu_count() or 2) - 1)
