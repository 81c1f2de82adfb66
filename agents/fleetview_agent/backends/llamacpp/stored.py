"""Ollama's blobs as models of llama.cpp, so that a model moves between the engines without a second download."""

from __future__ import annotations

from fleetview_agent.backends.llamacpp.found import Found
from fleetview_agent.gguf import GgufError, Header
from fleetview_agent.ollama_store import StoredModel

_OLLAMAS_OWN = frozenset({"deepseekocr", "glm4moelite", "glmocr", "gptoss", "mllama", "qwen25vl"})
"""Architectures under names that only Ollama gives them (ollama : llama/compat)."""
_TELLTALE = (
    "mm.tokens_per_image",
    "rope.global.freq_base",
    "rope.mrope_interleaved",
    "rope.scaling.beta_fast",
    "rope.scaling_beta",
    "ssm.v_head_reordered",
    "vision.block_count",
)
"""Keys of the architecture that only Ollama's converter writes: the file differs in more, or holds a second model."""


def found(model: StoredModel, header: Header | GgufError) -> Found:
    """What a blob is, under the name that Ollama gives it."""
    undeletable = f"the file of {model.name} is Ollama's; delete ollama/{model.name} instead"
    if isinstance(header, GgufError):
        refusal: str | None = _named(str(header), model)
        return Found(model.blob, model.name, model.size_bytes, None, refusal, undeletable=undeletable)
    refusal = _named(header.refusal, model) if header.refusal else _only_for_ollama(model.name, header)
    return Found(model.blob, model.name, model.size_bytes, header, refusal, undeletable=undeletable)


def _only_for_ollama(name: str, header: Header) -> str | None:
    """Why llama.cpp cannot load what Ollama can; None where nothing in the header speaks against it."""
    if header.architecture in _OLLAMAS_OWN:
        return f"{name} has the architecture {header.architecture}, which only Ollama knows by this name; run it there"
    if any(f"{header.architecture}.{key}" in header.metadata for key in _TELLTALE):
        return f"{name} was converted by Ollama in a form that llama.cpp does not read; run it in Ollama"
    return None


def _named(sentence: str, model: StoredModel) -> str:
    """The sentence, with the model's name in place of a digest."""
    return sentence.replace(model.blob.name, model.name)
