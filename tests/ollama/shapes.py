"""A short script of requests, and the shapes of what comes back: statuses, keys and types, not values."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

OPAQUE = frozenset({"model_info", "tensors", "context"})
"""What comes out of the model's file, or is of no use to anybody."""
HELLO = [{"role": "user", "content": "Say hello"}]
SHORT = {"num_predict": 3, "temperature": 0}

Shape = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """A request."""

    name: str
    method: str
    path: str
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)


def steps(gguf: bytes) -> Iterator[Step]:
    """From an empty store to an empty store."""
    digest = f"sha256:{hashlib.sha256(gguf).hexdigest()}"
    nowhere = f"sha256:{'0' * 64}"
    yield from _asked(
        ("GET", "/"),
        ("HEAD", "/"),
        ("GET", "/api/version"),
        ("GET", "/api/tags"),
        ("GET", "/api/ps"),
        ("GET", "/nowhere"),
    )
    yield Step("a foreign host", "GET", "/api/tags", headers={"host": "elsewhere.example"})
    yield Step("no such blob", "HEAD", f"/api/blobs/{digest}")
    yield Step("a blob of another content", "POST", f"/api/blobs/{nowhere}", b"hello")
    yield Step("a blob", "POST", f"/api/blobs/{digest}", gguf)
    yield Step("the same blob", "POST", f"/api/blobs/{digest}", gguf)
    yield Step("a blob that is there", "HEAD", f"/api/blobs/{digest}")
    yield Step("create without a source", "POST", "/api/create", {"model": "bad"})
    yield Step("create from a missing blob", "POST", "/api/create", {"model": "bad", "files": {"a.gguf": nowhere}})
    yield Step("create from a blob", "POST", "/api/create", {"model": "tiny", "files": {"a.gguf": digest}})
    derived = {"model": "tiny-1k", "from": "tiny", "parameters": {"num_ctx": 1024}}
    yield Step("create from a model", "POST", "/api/create", derived)
    yield Step("create at once", "POST", "/api/create", {"model": "tiny-2", "from": "tiny", "stream": False})
    yield Step("copy", "POST", "/api/copy", {"source": "tiny", "destination": "someone/other:v1"})
    yield Step("copy nothing", "POST", "/api/copy", {"source": "nobody", "destination": "x"})
    yield Step("tags", "GET", "/api/tags")
    yield from _about("show", "/api/show", {"model": "tiny-1k"}, {"model": "nobody"}, {})
    yield Step("delete", "DELETE", "/api/delete", {"model": "someone/other:v1"})
    yield Step("delete nothing", "DELETE", "/api/delete", {"model": "nobody"})
    yield from _answers()
    yield Step("unload", "POST", "/api/generate", {"model": "tiny", "keep_alive": 0})
    for model in ("tiny", "tiny-1k", "tiny-2"):
        yield Step(f"delete {model}", "DELETE", "/api/delete", {"model": model})


def _answers() -> Iterator[Step]:
    """Loading and asking."""
    yield from _about(
        "load",
        "/api/generate",
        {"model": "nobody"},
        {"model": "tiny"},
        {"model": "tiny", "keep_alive": -1},
        {"model": "tiny", "keep_alive": "soon"},
        {"model": "tiny", "options": {"num_ctx": "many"}},
    )
    yield Step("a pinned model", "GET", "/api/ps")
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    yield from _about(
        "chat",
        "/api/chat",
        {"model": "tiny", "messages": []},
        {"model": "tiny", "messages": HELLO, "options": SHORT},
        {"model": "tiny", "messages": HELLO, "options": SHORT, "stream": False},
        {"model": "tiny", "messages": HELLO, "options": SHORT, "think": True},
        {"model": "tiny", "messages": HELLO, "options": SHORT, "tools": [tool]},
        {"model": "tiny", "messages": [{"role": "user", "content": "word " * 3000}], "truncate": False},
        {"model": "tiny", "messages": "text"},
        {"model": "nobody", "messages": HELLO},
    )
    yield Step("chat: nothing", "POST", "/api/chat", b"")
    yield Step("chat: nonsense", "POST", "/api/chat", b"{nonsense")
    yield from _about(
        "generate",
        "/api/generate",
        {"model": "tiny", "prompt": "hello", "options": SHORT},
        {"model": "tiny", "prompt": "hello", "options": SHORT, "stream": False},
        {"model": "tiny", "prompt": "hello", "options": SHORT, "raw": True},
        {"model": "tiny", "prompt": "hello", "options": SHORT, "format": {"type": "boolean"}, "stream": False},
    )
    yield Step("embed nothing", "POST", "/api/embed", {"model": "tiny"})
    yield Step("another context", "POST", "/api/generate", {"model": "tiny", "options": {"num_ctx": 512}})
    yield Step("a reloaded model", "GET", "/api/ps")


def _asked(*requests: tuple[str, str]) -> Iterator[Step]:
    for method, path in requests:
        yield Step(f"{method} {path}", method, path)


def _about(what: str, path: str, *bodies: object) -> Iterator[Step]:
    for body in bodies:
        yield Step(f"{what}: {json.dumps(body)[:100]}", "POST", path, body)


def shapes(url: str, gguf: Path) -> dict[str, Shape]:
    """Carry the script out; what came back at each step."""
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        return {step.name: _shape(client, step) for step in steps(gguf.read_bytes())}


def _shape(client: httpx.Client, step: Step) -> Shape:
    body = (
        step.body if isinstance(step.body, bytes) else json.dumps(step.body).encode() if step.body is not None else None
    )
    answer = client.request(step.method, step.path, content=body, headers=step.headers)
    kind = answer.headers.get("content-type", "").partition(";")[0] or None
    return {"status": answer.status_code, "type": kind, "lines": _lines(answer.text) if kind != "text/plain" else None}


def _lines(text: str) -> list[object]:
    """The shape of each line; those that follow each other alike are one."""
    found: list[object] = []
    for line in text.splitlines():
        if (shape := _of(json.loads(line))) not in found[-1:]:
            found.append(shape)
    return found


def _of(value: object) -> object:
    if isinstance(value, dict):
        return {key: "…" if key in OPAQUE else _of(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_of(value[0])] if value else []
    return type(value).__name__
