"""One model: loaded by the first command, then asked by all the others."""

from __future__ import annotations

from dataclasses import dataclass

from fleetview_agent.llamacpp_worker import engine as engines
from fleetview_agent.llamacpp_worker.answer import DEFAULT_TEMPERATURE, DEFAULT_TOP_P, Answer, Cancelled, Sampling
from fleetview_agent.llamacpp_worker.commands import Commands
from fleetview_agent.llamacpp_worker.pipe import Frame, Send
from fleetview_agent.llamacpp_worker.prompt import Prompts, Refused


def serve(commands: Commands, send: Send) -> int:
    """Answer for ever; the exit status where that does not work."""
    try:
        model = _load(commands.next(), send)
        while True:
            _carry_out(commands.next(), model, commands, send)
    except engines.LoadFailed as problem:
        send({"is": "failed", "message": str(problem)})
    except engines.EvaluationFailed as problem:
        send({"is": "failed", "message": f"llama.cpp stopped during an answer: {problem}"})
    return 1


@dataclass(frozen=True)
class _Model:
    """What answers."""

    engine: engines.Engine
    prompts: Prompts
    context: int


def _load(command: Frame, send: Send) -> _Model:
    """Carry out the first command. Raises LoadFailed."""
    log = engines.EngineLog()
    file = engines.LoadCommand(command["path"], command["context"], command["threads"], command["gpu_layers"])
    engine = engines.load(file, log, lambda share: send({"is": "progress", "share": share}))
    model = _Model(engine, Prompts(engine), file.context)
    send({"is": "loaded", "memory_bytes": engines.memory_bytes(log)})
    return model


def _carry_out(command: Frame, model: _Model, commands: Commands, send: Send) -> None:
    """Carry out one request, up to its last frame. Raises EvaluationFailed."""
    request: int = command["id"]
    try:
        warming = command["do"] == "warm"
        prompt = model.prompts.shortest() if warming else model.prompts.of(command["messages"])
        if (count := len(prompt.tokens)) >= model.context:
            send({"is": "exceeded", "id": request, "prompt_tokens": count, "context": model.context})
            return
        answer = Answer(model.engine, request, send, lambda: commands.is_cancelled(request))
        answer.run(prompt, _sampling(command, model.context - count))
    except Refused as refused:
        send({"is": "refused", "id": request, "message": str(refused)})
    except Cancelled:
        send({"is": "cancelled", "id": request})


def _sampling(command: Frame, room: int) -> Sampling:
    """How a request wants its answer; never longer than the context has room for."""
    temperature, top_p, seed = command.get("temperature"), command.get("top_p"), command.get("seed")
    return Sampling(
        limit=min(command.get("max_tokens") or room, room),
        temperature=DEFAULT_TEMPERATURE if temperature is None else temperature,
        top_p=DEFAULT_TOP_P if top_p is None else top_p,
        seed=engines.RANDOM_SEED if seed is None else seed % engines.RANDOM_SEED,
        stops=tuple(command.get("stop", ())),
    )
