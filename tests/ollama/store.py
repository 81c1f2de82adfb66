"""Ollama's models folder, written as Ollama writes it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleetview_agent.gguf import Header, read_header

MODEL = "application/vnd.ollama.image.model"
TEMPLATE = "application/vnd.ollama.image.template"
PARAMS = "application/vnd.ollama.image.params"
PROJECTOR = "application/vnd.ollama.image.projector"
CHATML = (
    "{{- range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}<|im_end|>\n{{ end }}<|im_start|>assistant\n",
    {"stop": ["<|im_start|>", "<|im_end|>"]},
)
"""The template that Ollama finds by itself for such models, and the parameters that come with it."""
THINKING = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% if message.reasoning_content %}<think>\n{{ message.reasoning_content }}\n</think>\n\n{% endif %}"
    "{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n<think>\n{% endif %}"
)
"""A chat template for a GGUF file whose model begins each answer with thoughts, and hardly ever comes to its end."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Name:
    """A model's name, taken apart."""

    host: str
    namespace: str
    model: str
    tag: str

    @staticmethod
    def parse(text: str) -> Name:
        path, _, tag = text.partition(":") if ":" in text.rpartition("/")[2] else (text, "", "")
        parts = path.split("/")
        host, namespace, model = (*("registry.ollama.ai", "library")[: max(0, 3 - len(parts))], *parts[-3:])
        return Name(host, namespace, model, tag or "latest")

    @property
    def shown(self) -> str:
        if self.host != "registry.ollama.ai":
            return f"{self.host}/{self.namespace}/{self.model}:{self.tag}"
        return f"{'' if self.namespace == 'library' else self.namespace + '/'}{self.model}:{self.tag}"

    @property
    def full(self) -> str:
        return f"{self.host}/{self.namespace}/{self.model}:{self.tag}"


class Store:
    """A folder with manifests and blobs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "blobs").mkdir(parents=True, exist_ok=True)

    def blob(self, digest: str) -> Path:
        return self.folder / "blobs" / digest.replace(":", "-")

    def add(self, content: bytes) -> str:
        """Keep a blob; its digest."""
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        self.blob(digest).write_bytes(content)
        return digest

    def create(self, name: str, gguf: Path, **parameters: object) -> str:
        """Make a model out of a GGUF file; the digest of its weights."""
        weights = self.add(gguf.read_bytes())
        self.write(name, weights, parameters)
        return weights

    def write(self, name: str, weights: str, parameters: Mapping[str, object], *, source: str | None = None) -> None:
        """The manifest of a model, with the small blobs that belong to it."""
        template, defaults = CHATML
        small = {TEMPLATE: template.encode(), PARAMS: _json({**defaults, **parameters})}
        layers = [self._layer(MODEL, weights), *(self._layer(kind, self.add(blob)) for kind, blob in small.items())]
        if source:
            layers = [layer | {"from": source} if layer["mediaType"] != PARAMS else layer for layer in layers]
        self.write_manifest(name, _json(self._config(weights)), layers)

    def write_manifest(self, name: str, config: bytes, layers: list[Json]) -> None:
        """A manifest as it stands on the disk."""
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": self._layer("application/vnd.docker.container.image.v1+json", self.add(config)),
            "layers": layers,
        }
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_json(manifest))

    def path(self, name: str) -> Path:
        """Where the manifest of a model lies."""
        parsed = Name.parse(name)
        return self.folder.joinpath("manifests", parsed.host, parsed.namespace, parsed.model, parsed.tag)

    def manifest(self, name: str) -> Json | None:
        """What a manifest says; None where there is no such model."""
        path = self.path(name)
        return json.loads(path.read_bytes()) if path.is_file() else None

    def names(self) -> Iterator[str]:
        """Every model, those that were made last first."""
        files = (self.folder / "manifests").glob("*/*/*/*")
        for file in sorted(files, key=lambda file: -file.stat().st_mtime_ns):
            yield Name(*file.relative_to(self.folder / "manifests").parts).shown

    def copy(self, source: str, target: str) -> None:
        self.path(target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.path(source), self.path(target))

    def delete(self, name: str) -> None:
        """Remove a model and the blobs that no other one uses."""
        mine = self._digests(name)
        self.path(name).unlink()
        others = {digest for other in self.names() for digest in self._digests(other)}
        for digest in mine - others:
            self.blob(digest).unlink(missing_ok=True)

    def weights(self, name: str) -> Path | None:
        """The file with a model's weights."""
        manifest = self.manifest(name)
        found = [layer for layer in (manifest or {}).get("layers", ()) if layer["mediaType"] == MODEL]
        return self.blob(found[0]["digest"]) if found else None

    def parameters(self, name: str) -> Json:
        """What the model's maker set."""
        layers = (self.manifest(name) or {}).get("layers", ())
        found = [self.blob(layer["digest"]) for layer in layers if layer["mediaType"] == PARAMS]
        return json.loads(found[0].read_bytes()) if found else {}

    def header(self, name: str) -> Header:
        """What the weights of a model say of themselves."""
        weights = self.weights(name)
        assert weights is not None
        return read_header(weights)

    def thinks(self, name: str) -> bool:
        """Whether answers of a model begin with thoughts."""
        return "<think>" in str(self.header(name).metadata.get("tokenizer.chat_template", ""))

    def embeds(self, name: str) -> bool:
        """Whether a model makes vectors, and answers no prompts."""
        return self.header(name).embeds

    def trained_context(self, name: str) -> int:
        """Tokens that a model was trained for."""
        return self.header(name).context_length or 1 << 27

    def _layer(self, kind: str, digest: str) -> Json:
        return {"mediaType": kind, "digest": digest, "size": self.blob(digest).stat().st_size}

    def _digests(self, name: str) -> set[str]:
        manifest = self.manifest(name) or {"config": {}, "layers": []}
        return {layer["digest"] for layer in (manifest["config"], *manifest["layers"])}

    def _config(self, weights: str) -> Json:
        header = read_header(self.blob(weights))
        return {
            "model_format": "gguf",
            "model_family": header.architecture,
            "model_families": [header.architecture],
            "model_type": _parameters(header),
            "file_type": header.quantization,
            "architecture": "amd64",
            "os": "linux",
        }


def _parameters(header: Header) -> str:
    """Roughly how many there are, as Ollama writes it."""
    return f"{header.tensor_bytes / 4e3:.0f}K"


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
