"""The official OpenAI client against our surface."""

from __future__ import annotations

from pathlib import Path

import httpx
import openai
import pytest

from fleetview_agent.serving.api import build_app
from tests.agents import a_load, a_running_agent, outcome

MESSAGE: openai.types.chat.ChatCompletionUserMessageParam = {"role": "user", "content": "one two three"}


async def test_the_official_client_lists_asks_streams_and_understands_errors(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        await outcome(agent, a_load("sim-small"))
        http = httpx.AsyncClient(transport=httpx.ASGITransport(build_app(agent)))
        async with openai.AsyncOpenAI(
            api_key="none", base_url="http://agent/v1", http_client=http, max_retries=0
        ) as client:
            models = await client.models.list()
            assert models.data[0].id == "simulated/sim-small"

            whole = await client.chat.completions.create(model="simulated/sim-small", messages=[MESSAGE])
            assert whole.choices[0].message.content == "one two three"
            assert whole.usage is not None
            assert whole.usage.completion_tokens == 3

            stream = await client.chat.completions.create(
                model="sim-small", messages=[MESSAGE], stream=True, stream_options={"include_usage": True}
            )
            chunks = [chunk async for chunk in stream]
            assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "one two three"
            assert chunks[-1].usage is not None
            assert chunks[-1].usage.completion_tokens == 3

            with pytest.raises(openai.ConflictError, match="not resident"):
                await client.chat.completions.create(model="sim-large", messages=[MESSAGE])
