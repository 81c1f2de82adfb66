"""Giving a model out: what it consists of, and the bytes of its files, of no others."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import httpx

from tests.agent.shelf import a_node, a_part

CONTENT = os.urandom(100_000)
MODEL = "sim-there"


async def asked(client: httpx.AsyncClient, model: str = MODEL) -> list[dict[str, Any]]:
    """The lines that tell what a model consists of."""
    answer = await client.get("/api/parts", params={"backend": "simulated", "model": model})
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_a_model_is_told_by_the_sums_of_its_files_which_are_read_once(tmp_path: Path) -> None:
    async with a_node(tmp_path) as (_, shelf, client):
        shelf.put(MODEL, weights=CONTENT, template=b"small")
        first, *_, last = await asked(client)
        assert (first["done_bytes"], first["total_bytes"]) == (0, len(CONTENT) + 5)
        assert last["found"]["manifest"] == f"about {MODEL}"
        assert last["found"]["parts"] == [
            a_part(b"small", "template").model_dump(),
            a_part(CONTENT, "weights").model_dump(),
        ]
        assert [line["total_bytes"] for line in await asked(client)] == [0, 0]
        (shelf.folder / MODEL / "template").write_bytes(b"other")
        assert (await asked(client))[-1]["found"]["parts"][0] == a_part(b"other", "template").model_dump()


async def test_the_bytes_of_its_files_are_given_out_whole_or_in_part(tmp_path: Path) -> None:
    async with a_node(tmp_path) as (_, shelf, client):
        shelf.put(MODEL, weights=CONTENT)
        path = f"/api/blobs/{a_part(CONTENT).sha256}"
        assert (await client.get(path)).status_code == 404  # nobody has asked about the model
        await asked(client)
        told = await client.head(path)
        assert (told.headers["blob-state"], told.headers["blob-size-bytes"]) == ("complete", str(len(CONTENT)))
        whole = await client.get(path)
        assert (whole.status_code, whole.content) == (200, CONTENT)
        part = await client.get(path, headers={"range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, CONTENT[10:20])
        assert part.headers["content-range"] == f"bytes 10-19/{len(CONTENT)}"
        rest = await client.get(path, headers={"range": f"bytes={len(CONTENT) - 3}-"})
        assert rest.content == CONTENT[-3:]
        for nonsense in ("bytes=9-3", f"bytes={len(CONTENT)}-", "bytes=-5", "bytes=0-1,3-4"):
            assert (await client.get(path, headers={"range": nonsense})).status_code == 400


async def test_a_file_that_has_changed_is_not_given_out(tmp_path: Path) -> None:
    async with a_node(tmp_path) as (_, shelf, client):
        shelf.put(MODEL, weights=CONTENT)
        await asked(client)
        (shelf.folder / MODEL / "weights").write_bytes(b"other")
        answer = await client.get(f"/api/blobs/{a_part(CONTENT).sha256}")
        assert (answer.status_code, "has changed" in answer.json()["error"]["message"]) == (409, True)


async def test_what_is_not_there_is_told_in_a_sentence(tmp_path: Path) -> None:
    async with a_node(tmp_path) as (_, shelf, client):
        answers = [
            await client.get("/api/parts", params=query)
            for query in (
                {"backend": "simulated", "model": "none"},
                {"backend": "none", "model": MODEL},
                {"backend": "simulated"},
            )
        ]
        assert [answer.status_code for answer in answers] == [404, 404, 400]
        shelf.put(MODEL, weights=CONTENT)
        (shelf.folder / MODEL / "weights").unlink()
        (shelf.folder / MODEL / "weights").symlink_to(tmp_path / "nowhere")
        answer = await client.get("/api/parts", params={"backend": "simulated", "model": MODEL})
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "unusable_file")
