"""What can be asked below `/v1`."""

from __future__ import annotations

from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fleetview_agent.agent import Agent
from fleetview_agent.errors import NotFound
from fleetview_agent.serving.bodies import read_body
from fleetview_agent.serving.openai import chat, completions, embeddings
from fleetview_agent.serving.openai.models import model_rows
from fleetview_agent.serving.stream import Stream
from fleetview_agent.wire import ChatRequest, CompletionRequest, EmbeddingRequest

JSON, SERVER_SENT_EVENTS = "application/json", "text/event-stream"
_CHAT: TypeAdapter[ChatRequest] = TypeAdapter(ChatRequest)
_COMPLETION: TypeAdapter[CompletionRequest] = TypeAdapter(CompletionRequest)
_EMBEDDING: TypeAdapter[EmbeddingRequest] = TypeAdapter(EmbeddingRequest)


def openai_routes(agent: Agent) -> list[Route]:
    """The routes below `/v1`."""

    async def list_models(_: Request) -> Response:
        return JSONResponse({"object": "list", "data": model_rows(agent)})

    async def show_model(request: Request) -> Response:
        name = request.path_params["name"]
        row = next((row for row in model_rows(agent) if row["id"] == name), None)
        if row is None:
            raise NotFound(f"there is no model {name[:200]} on this node", "GET /v1/models lists them")
        return JSONResponse(row)

    async def answer_chat(request: Request) -> Response:
        wanted = await read_body(request, _CHAT)
        if wanted.stream:
            return Stream(chat.streamed(agent, wanted), SERVER_SENT_EVENTS)
        return Stream(chat.whole(agent, wanted), JSON)

    async def complete(request: Request) -> Response:
        wanted = await read_body(request, _COMPLETION)
        if wanted.stream:
            return Stream(completions.streamed(agent, wanted), SERVER_SENT_EVENTS)
        return Stream(completions.whole(agent, wanted), JSON)

    async def embed(request: Request) -> Response:
        return Stream(embeddings.whole(agent, await read_body(request, _EMBEDDING)), JSON)

    return [
        Route("/v1/models", list_models),
        Route("/v1/models/{name:path}", show_model),
        Route("/v1/chat/completions", answer_chat, methods=["POST"]),
        Route("/v1/completions", complete, methods=["POST"]),
        Route("/v1/embeddings", embed, methods=["POST"]),
    ]
