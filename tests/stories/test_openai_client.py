"""The official OpenAI client against one real agent: by its socket, by its port, over every engine there is."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import openai
import pytest

from tests.stories.conftest import SHORT, SMALL, command, needs_engine, until
from tests.stories.ollamas import MODEL, REAL, STAND_IN, OllamaHome, a_home_with_ollama, free_port

pytestmark = needs_engine

TOKEN = "correct-horse-battery-staple"  # noqa: S105 - of this story alone
LLAMA = f"llamacpp/{SMALL}"
BRIEF: dict[str, Any] = {"max_tokens": 24, "temperature": 0}
SCHEMA = {
    "type": "object",
    "properties": {"colour": {"enum": ["blue", "green"]}},
    "required": ["colour"],
    "additionalProperties": False,
}
FORM: Any = {"type": "json_schema", "json_schema": {"name": "sky", "schema": SCHEMA, "strict": True}}
TOOL: Any = {"type": "function", "function": {"name": "paint", "parameters": SCHEMA}}


def ask(text: str) -> list[Any]:
    return [{"role": "user", "content": text}]


@dataclass(frozen=True)
class Served:
    """An agent with models in memory, and the way to its port."""

    home: OllamaHome
    port: int

    def operate(self, verb: str, target: str, **more: object) -> None:
        """Have an operation carried out; a command of ours would take a second or two longer."""
        backend, _, model = target.partition("/")
        named = {"verb": verb, "author": "ada@desk", "backend": backend} | ({"model": model} if model else {})
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(self.home.socket)), base_url="http://agent") as http:
            asked = http.post("/api/operations", json={**named, **more}).json()
        until(lambda: self.home.journal[:1] != [] and self.home.journal[0]["id"] == asked["id"], f"the {verb}", 60)
        assert self.home.journal[0]["result"] == "done", self.home.journal[0]

    def have(self, *models: str) -> None:
        """Have Ollama run, with a model made of SmolLM2, and these in memory."""
        self.operate("start", "ollama")
        self.operate("create", MODEL, source=LLAMA, options={"context": int(SHORT)})
        for model in models:
            self.operate("load", model, options={"context": int(SHORT)})

    @contextmanager
    def client(self, *, by_port: bool = False, token: str = TOKEN) -> Iterator[openai.OpenAI]:
        """The official client, through the port or through the socket."""
        transport = None if by_port else httpx.HTTPTransport(uds=str(self.home.socket))
        url = f"http://127.0.0.1:{self.port}/v1" if by_port else "http://agent/v1"
        with httpx.Client(transport=transport, trust_env=False, timeout=60) as http:
            yield openai.OpenAI(api_key=token, base_url=url, http_client=http, max_retries=0)


@contextmanager
def serving(ollama: str) -> Iterator[Served]:
    """An agent of its own, with a port that wants a token."""
    with a_home_with_ollama(ollama) as home:
        port, folder = free_port(), home.path / ".fleetview"
        secret = folder / "token"
        secret.write_text(f"{TOKEN}\n")
        secret.chmod(0o600)
        settings = folder / "agent.toml"
        settings.write_text(f'listen = "127.0.0.1:{port}"\ntoken_file = "{secret}"\n{settings.read_text()}')
        with subprocess.Popen([command("fleetview-agent"), "serve"], env=home.environment, cwd=home.path) as agent:
            until(lambda: home.get("/api/journal") is not None, "the agent")
            yield Served(home, port)
            agent.terminate()


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """One agent for all tests: llama.cpp with SmolLM2, and the stand-in for Ollama."""
    with serving(STAND_IN) as one:
        one.have(MODEL, LLAMA)
        yield one


@pytest.mark.parametrize("by_port", [False, True], ids=["socket", "port"])
def test_models_chats_and_texts_over_both_engines(served: Served, by_port: bool) -> None:
    with served.client(by_port=by_port) as client:
        listed = [model.id for model in client.models.list()]
        assert set(listed[:2]) == {LLAMA, MODEL}  # those in memory come first
        for model in (LLAMA, MODEL):
            whole = client.chat.completions.create(model=model, messages=ask("Name a colour."), seed=7, **BRIEF)
            assert whole.choices[0].message.content
            assert whole.usage is not None
            assert 0 < whole.usage.completion_tokens <= 24
            chunks = list(
                client.chat.completions.create(
                    model=model, messages=ask("Name a colour."), seed=7, stream=True, **BRIEF
                )
            )
            said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
            assert said == whole.choices[0].message.content
            assert chunks[-1].usage is not None
            assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
            assert chunks[-1].model_extra is not None
            assert chunks[-1].model_extra["timings"]["predicted_ms"] > 0
            text = client.completions.create(model=model, prompt="The sky is", **BRIEF)
            assert text.choices[0].text
            stopped = client.completions.create(
                model=model, prompt="The sky is", stop=text.choices[0].text[3:6], **BRIEF
            )
            assert (stopped.choices[0].text, stopped.choices[0].finish_reason) == (text.choices[0].text[:3], "stop")


def test_answers_follow_a_schema_on_both_engines(served: Served) -> None:
    with served.client() as client:
        for model in (LLAMA, MODEL):
            told = client.chat.completions.create(
                model=model, messages=ask("What colour is the sky?"), response_format=FORM, **BRIEF
            )
            assert json.loads(told.choices[0].message.content or "")["colour"] in {"blue", "green"}


def test_tools_where_the_engine_has_them(served: Served) -> None:
    with served.client() as client:
        choice: Any = {"type": "function", "function": {"name": "paint"}}
        called = client.chat.completions.create(
            model=LLAMA, messages=ask("Paint the sky."), tools=[TOOL], tool_choice=choice, max_tokens=80, temperature=0
        )
        assert called.choices[0].finish_reason == "tool_calls"
        (call,) = called.choices[0].message.tool_calls or ()
        assert call.type == "function"
        assert json.loads(call.function.arguments)["colour"] in {"blue", "green"}
        for model, words in ((LLAMA, "cannot decide by itself to call a tool"), (MODEL, "does not support tools")):
            with pytest.raises(openai.BadRequestError, match=words):
                client.chat.completions.create(model=model, messages=ask("Paint."), tools=[TOOL], **BRIEF)
        with pytest.raises(openai.BadRequestError, match="ollama cannot be made to call a tool"):
            client.chat.completions.create(
                model=MODEL, messages=ask("Paint."), tools=[TOOL], tool_choice="required", **BRIEF
            )


def test_what_cannot_be_had_is_told_in_a_sentence(served: Served) -> None:
    with served.client() as client:
        with pytest.raises(openai.ConflictError, match="is not resident"):
            client.chat.completions.create(model="llamacpp/SmolLM2-135M-Instruct.Q8_0", messages=ask("Hi"), **BRIEF)
        with pytest.raises(openai.NotFoundError, match="there is no model nobody"):
            client.chat.completions.create(model="nobody", messages=ask("Hi"), **BRIEF)
        with pytest.raises(openai.BadRequestError, match=r"the prompt has \d+ tokens"):
            client.completions.create(model=LLAMA, prompt="word " * 900, **BRIEF)
        for model, words in ((LLAMA, "llamacpp makes no embeddings"), (MODEL, "story:latest makes no embeddings")):
            with pytest.raises(openai.BadRequestError, match=words):
                client.embeddings.create(model=model, input="Hi")


def test_a_benchmark_gets_the_tokens_that_it_asks_for(served: Served) -> None:
    with served.client() as client:
        text = client.completions.create(
            model=LLAMA, prompt="The sky is", max_tokens=40, temperature=0, extra_body={"ignore_eos": True}
        )
        assert text.model_extra is not None
        timings = text.model_extra["timings"]
        assert (timings["predicted_n"], timings["prompt_n"] + timings["cache_n"]) == (40, 3)
        assert timings["predicted_per_second"] == pytest.approx(39 / timings["predicted_ms"] * 1e3)


def test_nobody_comes_in_by_the_port_without_the_token_or_operates_with_it(served: Served) -> None:
    with served.client(by_port=True, token=TOKEN[1:]) as client, pytest.raises(openai.AuthenticationError):
        client.models.list()
    url = f"http://127.0.0.1:{served.port}/api/snapshot"
    with httpx.Client(trust_env=False, headers={"Authorization": f"Bearer {TOKEN}"}) as http:
        assert http.get(url).status_code == 404


def test_the_real_ollama_answers_the_official_client() -> None:
    with serving(REAL) as one, contextlib.ExitStack() as until_done:
        one.have(MODEL)
        client = until_done.enter_context(one.client(by_port=True))
        told = client.chat.completions.create(
            model=MODEL, messages=ask("What colour is the sky?"), response_format=FORM, **BRIEF
        )
        assert json.loads(told.choices[0].message.content or "")["colour"] in {"blue", "green"}
        text = client.completions.create(model=MODEL, prompt="The sky is", seed=3, **BRIEF)
        assert text.usage is not None
        assert (bool(text.choices[0].text), text.usage.prompt_tokens) == (True, 3)
        with pytest.raises(openai.BadRequestError, match="does not support tools"):
            client.chat.completions.create(model=MODEL, messages=ask("Paint."), tools=[TOOL], **BRIEF)
