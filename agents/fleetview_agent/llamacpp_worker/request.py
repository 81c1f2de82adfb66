"""One request to a loaded model, from its command to its last frame."""

from __future__ import annotations

from dataclasses import dataclass

from fleetview_agent.llamacpp_worker.answer import Answer, Cancelled, Sampling
from fleetview_agent.llamacpp_worker.commands import Commands
from fleetview_agent.llamacpp_worker.engine import RANDOM_SEED, Engine
from fleetview_agent.llamacpp_worker.grammar import grammar_of
from fleetview_agent.llamacpp_worker.pipe import Frame, Send
from fleetview_agent.llamacpp_worker.prompt import Prompt, Prompts, Refused

_AS_THEY_ARE = ("temperature", "top_p", "top_k", "min_p", "presence_penalty", "frequency_penalty")


@dataclass(frozen=True)
class Model:
    """What answers."""

    engine: Engine
    prompts: Prompts
    context: int


def carry_out(command: Frame, model: Model, commands: Commands, send: Send) -> None:
    """Carry out one request, up to its last frame. Raises EvaluationFailed."""
    request: int = command["id"]
    try:
        prompt = _prompt(command, model.prompts)
        if (count := len(prompt.tokens)) >= model.context:
            send({"is": "exceeded", "id": request, "prompt_tokens": count, "context": model.context})
            return
        answer = Answer(model.engine, request, send, lambda: commands.is_cancelled(request))
        answer.run(prompt, _sampling(command, model.engine, model.context - count))
    except Refused as refused:
        send({"is": "refused", "id": request, "message": str(refused), "hint": refused.hint})
    except Cancelled:
        send({"is": "cancelled", "id": request})


def _prompt(command: Frame, prompts: Prompts) -> Prompt:
    """What is to be gone on with. Raises Refused."""
    match command["do"]:
        case "warm":
            return prompts.shortest()
        case "complete":
            return prompts.raw(command["prompt"])
        case _:
            return prompts.of(command["messages"], command["tools"], command["template"])


def _sampling(command: Frame, engine: Engine, room: int) -> Sampling:
    """How a request wants its answer; never longer than the context has room for. Raises Refused."""
    given = {name: command[name] for name in _AS_THEY_ARE if command.get(name) is not None}
    seed, schema = command.get("seed"), command.get("schema")
    grammar = None if schema is None else grammar_of(engine, schema)
    return Sampling(
        limit=min(command.get("max_tokens") or room, room),
        seed=RANDOM_SEED if seed is None else seed % RANDOM_SEED,
        stops=tuple(command.get("stop", ())),
        ignore_eos=command.get("ignore_eos", False) and grammar is None,
        grammar=grammar,
        **given,
    )
