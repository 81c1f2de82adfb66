"""The plans of a picker: those that are known, and asking for those that are not."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable

from fleetview.messages import RequestFailed
from fleetview_agent.wire import Plan, SwapRequest

NEIGHBOURS = 24
"""How many further rows of a picker get their verdict, nearest first."""
Wish = tuple[str, SwapRequest]
"""What was typed, and the swap that the settings made of the highlighted row."""


class SwapPlans:
    """What the node answered to each swap; nothing is asked for twice."""

    def __init__(self, ask: Callable[[SwapRequest], Awaitable[Plan]]) -> None:
        self._ask = ask
        self._answers: dict[SwapRequest, Plan | RequestFailed] = {}

    def __contains__(self, request: object) -> bool:
        """Whether the swap was answered, with a plan or without."""
        return request in self._answers

    def plan(self, request: SwapRequest) -> Plan | None:
        """The plan of a swap; None where it is awaited, or could not be had."""
        answer = self._answers.get(request)
        return answer if isinstance(answer, Plan) else None

    def trouble(self, request: SwapRequest) -> str | None:
        """Why there is no plan of a swap; None where there is one, or it is awaited."""
        answer = self._answers.get(request)
        return str(answer) if isinstance(answer, RequestFailed) else None

    def forget(self) -> None:
        """The node has changed, and with it every plan."""
        self._answers.clear()

    def forget_trouble(self, request: SwapRequest) -> None:
        """Let a plan that could not be had be asked for again."""
        if self.trouble(request) is not None:
            del self._answers[request]

    async def learn(self, requests: Iterable[SwapRequest]) -> AsyncGenerator[None, None]:
        """Ask for those that are not known, one after the other; yields after each answer."""
        for request in requests:
            if request in self._answers:
                continue
            try:
                self._answers[request] = await self._ask(request)
            except RequestFailed as failed:
                self._answers[request] = failed
            yield
