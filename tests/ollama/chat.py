"""Answers: from the runner's stream to Ollama's."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

import httpcore

from tests.ollama.errors import Refused
from tests.ollama.runners import Runner, Runners
from tests.ollama.settings import keep_seconds
from tests.ollama.store import Json, Name, Store

_PASSED_ON = ("temperature", "top_k", "top_p", "min_p", "seed", "stop", "repeat_penalty", "presence_penalty")
_STOPPED = "model runner has unexpectedly stopped, this may be due to resource limitations or an internal error"


@dataclass(frozen=True)
class Asked:
    """A request for an answer, of either kind."""

    model: str
    messages: list[Json]
    """None of them: only load the model."""
    body: Json
    shape: Callable[[Json], Json]
    """A message → the fields that carry it."""
    raw: str | None = None
    """A text that is gone on with as it is."""
    has_context: bool = False
    """Whether the last line carries the tokens so far, as those of /api/generate do."""
    started: float = field(default_factory=time.monotonic)

    @property
    def is_only_a_load(self) -> bool:
        return not self.messages and not self.raw

    @property
    def options(self) -> Json:
        return dict(self.body.get("options") or {})

    @property
    def keep(self) -> float | None:
        value = self.body.get("keep_alive")
        return None if value is None else keep_seconds(value)

    def line(self, message: Json, **more: object) -> Json:
        head = {"model": self.model, "created_at": now()}
        return {**head, **self.shape(message), "done": False, **more}


def now(at: float | None = None) -> str:
    """A time as Go writes it."""
    moment = dt.datetime.fromtimestamp(time.time() if at is None else at, dt.UTC)
    return moment.isoformat().replace("+00:00", "Z")


def check(store: Store, asked: Asked) -> None:
    """Refuse what the model cannot do; none of ours calls tools."""
    if store.embeds(asked.model) and not (asked.is_only_a_load and asked.keep == 0):
        kind = "chat" if "message" in asked.shape({}) else "generate"
        raise Refused(400, f'"{asked.model}" does not support {kind}')
    if asked.body.get("think") and not store.thinks(asked.model):
        raise Refused(400, f'"{asked.model}" does not support thinking')
    if asked.body.get("tools"):
        raise Refused(400, f"{Name.parse(asked.model).full} does not support tools")


async def answer(runners: Runners, asked: Asked) -> AsyncGenerator[Json, None]:
    """The lines of an answer; one that says so where there was only something to load or unload."""
    if asked.is_only_a_load and asked.keep == 0:
        runners.expire(asked.model)
        yield asked.line({}, done=True, done_reason="unload")
        return
    async with runners.used(asked.model, asked.options, asked.keep) as runner:
        if asked.is_only_a_load:
            yield asked.line({}, done=True, done_reason="load")
            return
        loaded = time.monotonic()
        async with runner.turn, aclosing(_stream(runners.client, runner, asked, loaded)) as lines:
            async for line in lines:
                yield line


async def _stream(
    client: httpcore.AsyncConnectionPool, runner: Runner, asked: Asked, loaded: float
) -> AsyncGenerator[Json, None]:
    reason = "stop"
    try:
        sent = json.dumps(_request(runner, asked)).encode()
        path = "completions" if asked.raw else "chat/completions"
        async with client.stream("POST", f"{runner.url}/v1/{path}", content=sent) as answers:
            if answers.status != 200:
                raise Refused(answers.status, (await answers.aread()).decode(errors="replace"))
            async for chunk in _chunks(answers):
                if "error" in chunk:
                    raise Refused(500, f"an error was encountered while running the model: {chunk['error']}")
                for choice in chunk["choices"]:
                    reason = choice.get("finish_reason") or reason
                    if message := _message(choice.get("delta", {"content": choice.get("text")})):
                        yield asked.line(message)
                if "timings" in chunk:  # which the last one has
                    yield asked.line({}, done=True, done_reason=reason, **_figures(chunk["timings"], asked, loaded))
    except (httpcore.NetworkError, httpcore.ProtocolError) as problem:
        raise Refused(500, _STOPPED) from problem


def _request(runner: Runner, asked: Asked) -> Json:
    """What is asked of llama-server."""
    options = asked.options
    limit = options.get("num_predict", -1)
    return {
        **({"prompt": asked.raw} if asked.raw else {"messages": asked.messages}),
        **_format(asked.body.get("format")),
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": limit if limit > 0 else 10 * runner.context,
        "temperature": 0.8,
        **{name: options[name] for name in _PASSED_ON if name in options},
    }


def _format(wanted: object) -> Json:
    """What form the answer must have: `json`, or a schema."""
    if not wanted:
        return {}
    if isinstance(wanted, dict):
        return {"response_format": {"type": "json_schema", "json_schema": {"schema": wanted}}}
    return {"response_format": {"type": "json_object"}}


async def embed(runners: Runners, model: str, body: Json) -> Json:
    """The vectors of some texts; none of them only loads the model."""
    texts = [body["input"]] if isinstance(body.get("input"), str) else list(body.get("input") or ())
    asked = Asked(model, [], body, dict)
    started = time.monotonic()
    async with runners.used(asked.model, asked.options, asked.keep) as runner:
        if not texts:
            return {"model": model, "embeddings": []}
        loaded = time.monotonic()
        url, sent = f"{runner.url}/v1/embeddings", json.dumps({"input": texts}).encode()
        answered = await runners.client.request("POST", url, content=sent)
        told = json.loads(answered.content)
        if answered.status != 200:
            raise Refused(answered.status, json.dumps(told))
    return {
        "model": model,
        "embeddings": [row["embedding"] for row in told["data"]],
        "total_duration": int((time.monotonic() - started) * 1e9),
        "load_duration": int((loaded - started) * 1e9),
        "prompt_eval_count": told["usage"]["prompt_tokens"],
    }


async def _chunks(response: httpcore.Response) -> AsyncGenerator[Json, None]:
    rest = b""
    async for piece in response.aiter_stream():
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if line.startswith((b"data: {", b"error: {")):
                yield json.loads(line.partition(b": ")[2])


def _message(delta: Json) -> Json:
    """What a delta brings: an answer, or thoughts."""
    if thoughts := delta.get("reasoning_content"):
        return {"content": "", "thinking": thoughts}
    return {"content": content} if (content := delta.get("content")) else {}


def _figures(timings: Json, asked: Asked, loaded: float) -> Json:
    """The end of the last line: counts, and times in nanoseconds."""
    prompt, generated = timings["prompt_n"] + timings.get("cache_n", 0), timings["predicted_n"]
    return {
        **({"context": [0] * (prompt + generated)} if asked.has_context else {}),
        "total_duration": int((time.monotonic() - asked.started) * 1e9),
        "load_duration": int((loaded - asked.started) * 1e9),
        "prompt_eval_count": prompt,
        "prompt_eval_duration": int(timings["prompt_ms"] * 1e6),
        "eval_count": generated,
        "eval_duration": int(timings["predicted_ms"] * 1e6),
    }
