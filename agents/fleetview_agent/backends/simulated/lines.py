"""What a simulated engine writes to its log."""

from __future__ import annotations

from fleetview_agent.wire import Served


def loading(model: str, context: int | None) -> str:
    """A load has begun."""
    return f'level=INFO msg="loading model" model={model} num_ctx={context} gpu=Metal'


def loaded(model: str) -> str:
    """A load is over."""
    return f'level=INFO msg="model is ready" model={model}'


def answered(served: Served) -> str:
    """A request is over."""
    speed = f" speed={served.tokens_per_second:.1f}t/s" if served.tokens_per_second else ""
    return f'level=INFO msg="request done" client={served.author} tokens={served.completion_tokens}{speed}'


def failed(line: str) -> str:
    """The engine's own word for what went wrong."""
    return f'level=ERROR msg="{line}"'
