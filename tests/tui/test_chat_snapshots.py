from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from textual.pilot import Pilot

from fleetview.conversation import dialogue
from fleetview.widgets import columns, transcript
from fleetview_agent.wire import ChatChunk
from tests.tui.chatting import GEMMA, LLAMA, QWEN, Chatting, Model, answered, text_of, until

Compare = Callable[..., bool]
SIZES = pytest.mark.parametrize(
    "size", [(80, 24), (120, 40), (200, 50), (40, 8)], ids=["80x24", "120x40", "200x50", "40x8"]
)
ANSWER = """\
Canberra, **not** Sydney: it was chosen as a *compromise* in 1908.

1. both wanted it
2. so `neither` got it

```python
def capital(country: str) -> str:
    return CAPITALS[country]  # look it up
```

| city | people |
|---|---|
| Canberra | 0.5 M |
"""


@pytest.fixture(autouse=True)
def _the_clock_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (dialogue, columns, transcript):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: 100.0))


def asked(*, left: bool = True) -> Callable[[Pilot[None]], object]:
    async def run(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, Chatting)
        await answered(pilot, app)
        if left:
            await pilot.press("escape")
            await until(pilot, lambda: "INSERT" not in text_of(app))

    return run


@SIZES
def test_a_chat_with_its_figures(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(Chatting({LLAMA: Model(ANSWER)}), terminal_size=size, run_before=asked())


@SIZES
def test_three_models_side_by_side(snap_compare: Compare, size: tuple[int, int]) -> None:
    thoughtful = Model(ChatChunk(thinking="Sydney is larger, but"), "It is **Canberra**.")
    app = Chatting({LLAMA: Model(ANSWER), GEMMA: thoughtful, QWEN: Model("Canberra.")})
    assert snap_compare(app, terminal_size=size, run_before=asked(left=False))
