"""Models as Ollama keeps them on disk."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path


def put_model(folder: Path, name: str, weights: Path) -> Path:
    """Put the file into the folder's blobs, under a manifest of that `MODEL:TAG`; where the blob lies."""
    data = weights.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    blob = folder / "blobs" / f"sha256-{digest}"
    blob.parent.mkdir(parents=True, exist_ok=True)
    blob.write_bytes(data)
    model, _, tag = name.partition(":")
    manifest = folder / "manifests" / "registry.ollama.ai" / "library" / model / tag
    manifest.parent.mkdir(parents=True, exist_ok=True)
    kind = "application/vnd.ollama.image.model"
    layers = [{"mediaType": kind, "digest": f"sha256:{digest}", "size": len(data)}]
    manifest.write_text(json.dumps({"schemaVersion": 2, "layers": layers}))
    return blob
