"""How Ollama would load a model, as far as its memory depends on it: by the rules of its scheduler."""

from __future__ import annotations

from fleetview_agent.backends.ollama.environment import Settings
from fleetview_agent.backends.ollama.inventory import Entry
from fleetview_agent.needs import BATCH_TOKENS, LoadSettings

LEAST_CONTEXT_WITH_IMAGES = 2048
EMBEDDING_BATCH = 2048
LONGER_CONTEXTS = ((32_768, 2048), (4096, 1024))
"""Above so many tokens of all sequences together → tokens that are computed at once. Ollama takes fewer where memory
is scarce, which is not foreseen: the larger buffer is counted."""
UNSET_PROMPT_CACHE_BYTES = 512 << 20
"""Counted for old prompts where nobody set a limit. The engine's own is 8 GiB, which only many long conversations fill;
to count it all would refuse most models on most machines."""
ONE_AT_A_TIME = frozenset(
    {"lfm2", "lfm2moe", "mllama", "nemotron_h", "nemotron_h_moe", "nemotron_h_omni", "qwen35", "qwen35moe"}
    | {"qwen3next", "qwen3vl", "qwen3vlmoe"}
)
"""Families that answer one request at a time, whatever the server was told (ollama : server/sched.go, load)."""


def load_settings(entry: Entry, told: Settings, context: int) -> LoadSettings | None:
    """What the server would do, by what it was told; None for a model that runs elsewhere or is no GGUF file."""
    if entry.listed.remote or (entry.stored is not None and not entry.stored.is_gguf):
        return None
    projector = _projector_bytes(entry)
    wanted = max(context, LEAST_CONTEXT_WITH_IMAGES) if projector else context
    wanted = min(wanted, entry.trained_context or wanted)
    family = (entry.header and entry.header.architecture) or entry.listed.family
    sequences = 1 if entry.embeds or family in ONE_AT_A_TIME else told.parallel
    batch = _batch(entry, wanted, sequences)
    limit = UNSET_PROMPT_CACHE_BYTES if told.prompt_cache_bytes is None else told.prompt_cache_bytes
    return LoadSettings(
        context=wanted,
        sequences=sequences,
        batch=batch,
        flash_attention=told.flash_attention,
        cache_type_k=told.cache_type,
        cache_type_v=told.cache_type,
        outputs=batch if entry.embeds else sequences,
        projector_bytes=projector,
        prompt_cache_bytes=0 if entry.embeds else limit,
    )


def _batch(entry: Entry, context: int, sequences: int) -> int:
    """Tokens that are computed at once."""
    given = entry.shown.parameters.get("num_batch", "") if entry.shown else ""
    if given.isdecimal() and int(given):
        return int(given)
    if entry.embeds:
        return min(EMBEDDING_BATCH, context)
    return next((batch for least, batch in LONGER_CONTEXTS if context * sequences > least), BATCH_TOKENS)


def _projector_bytes(entry: Entry) -> int:
    """Of the file for images; zero where there is none."""
    if entry.stored is None or entry.stored.projector is None:
        return 0
    try:
        return entry.stored.projector.stat().st_size
    except OSError:
        return 0
