"""Bytes as they come from a node, cut into lines."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

LONGEST_BYTES = 8 << 20
"""A longer line is no event of ours: the largest is the snapshot of a node with thousands of models."""


async def split_lines(chunks: AsyncIterator[bytes], longest: int = LONGEST_BYTES) -> AsyncGenerator[bytes | None, None]:
    """Every line that is not empty, without its end; None in place of one that is too long to be kept."""
    held = bytearray()
    too_long = False
    async for chunk in chunks:
        *ended, rest = chunk.split(b"\n")
        for part in ended:
            if not too_long and len(held) + len(part) <= longest:
                if line := bytes(held + part).strip():
                    yield line
            elif not too_long:
                yield None
            held.clear()
            too_long = False
        if not too_long and len(held) + len(rest) > longest:
            too_long = True
            held.clear()
            yield None  # at once: its end may never come
        if not too_long:
            held += rest
