"""One model: loaded by the first command, then asked by all the others."""

from __future__ import annotations

from fleetview_agent.llamacpp_worker import engine as engines
from fleetview_agent.llamacpp_worker.commands import Commands
from fleetview_agent.llamacpp_worker.pipe import Frame, Send
from fleetview_agent.llamacpp_worker.prompt import Prompts
from fleetview_agent.llamacpp_worker.request import Model, carry_out


def serve(commands: Commands, send: Send) -> int:
    """Answer for ever; the exit status where that does not work."""
    try:
        model = _load(commands.next(), send)
        while True:
            carry_out(commands.next(), model, commands, send)
    except engines.LoadFailed as problem:
        send({"is": "failed", "message": str(problem)})
    except engines.EvaluationFailed as problem:
        send({"is": "failed", "message": f"llama.cpp stopped during an answer: {problem}"})
    return 1


def _load(command: Frame, send: Send) -> Model:
    """Carry out the first command. Raises LoadFailed."""
    log = engines.EngineLog()
    file = engines.LoadCommand(**{key: value for key, value in command.items() if key != "do"})
    engine = engines.load(file, log, lambda share: send({"is": "progress", "share": share}))
    model = Model(engine, Prompts(engine), file.context)
    send({"is": "loaded", **engines.what_came_of_it(log)})
    return model
