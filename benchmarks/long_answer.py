"""A chat whose answer has 20,000 tokens of Markdown already and goes on at 100 tokens/s, with one model and with three.

The chat's screen runs without a terminal, and the models are scripted: what is measured is what the screen takes, from
a key to the moment in which what it typed has been painted, not the way from the node.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable

import psutil
import repository  # noqa: F401 -- before what lies in the repository's root
from figures import promise, share, this_machine, times

from fleetview.config import FleetConfig
from fleetview.conversation.dialogues import Dialogues
from fleetview.garbage import Garbage
from fleetview.widgets.column import Column
from fleetview.widgets.transcript import Transcript
from fleetview_agent.wire import ChatChunk, ChatRequest
from tests.tui.chatting import GEMMA, LLAMA, QWEN, Chatting, Model

TOKENS, RATE = 20_000, 100.0
PORTION = 50
SIZE = (120, 40)
MIB = 1 << 20
PAUSE_SECONDS = 0.1
PROMISED_KEY_SECONDS, PROMISED_SHARE, PROMISED_OPEN_SECONDS = 0.05, 0.15, 0.3
SECTION = """\
## Part {number}

{words} with **bold** ones, `code`, 日本語 and 🎉. {words}

- one item
  - another within it, {words}
    1. and one more

```python
def part_{number}(value: int) -> int:
    return value * {number}  # {words}
```

> {words}

| name | size | words |
|---|--:|---|
| one | 1 | {words} |
| two | 22 | {words} |

"""
WORDS = "the quick brown fox jumps over the lazy dog while models answer"
PIECES = re.findall(r"\s*\S+", "".join(SECTION.format(number=number, words=WORDS) for number in range(400)))


class Scripted(Model):
    """Says most of it at once, and the rest at its pace until it is told to end."""

    def __init__(self) -> None:
        super().__init__()
        self.ended = False

    async def answer(self, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        """So many tokens, then one after the other."""
        self.asked.append(request)
        for start in range(0, TOKENS, PORTION):
            yield ChatChunk(text="".join(PIECES[start : start + PORTION]))
            await asyncio.sleep(0)
        began, said = time.monotonic(), 0
        while not self.ended:
            while said < (time.monotonic() - began) * RATE:
                yield ChatChunk(text=PIECES[(TOKENS + said) % len(PIECES)])
                said += 1
            await asyncio.sleep(1 / RATE)


def main() -> int:
    """Measure and tell; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=300, help="pressed for each number of models; default %(default)s")
    arguments = parser.parse_args()
    print(f"an answer of {TOKENS} tokens that grows by {RATE:g} a second; {this_machine()}", flush=True)
    return max([asyncio.run(measure(models, arguments.keys)) for models in (1, 3)])


async def measure(models: int, keys: int) -> int:
    """Let so many models answer."""
    scripted = {target: Scripted() for target in (LLAMA, GEMMA, QWEN)[:models]}
    app = Chatting({**scripted})
    async with app.run_test(size=SIZE) as pilot:
        app.prompt.insert("go")
        await pilot.press("enter")
        await _until(lambda: all(len(answer.text) > 3 * TOKENS for answer in app.chat.dialogue.answering))
        await _painted(app)
        Garbage(lambda: 0.0).note(FleetConfig(), {}, time.monotonic())
        process = psutil.Process()
        began, before = time.monotonic(), time.process_time()
        delays = [await _key_to_paint(app) for _ in range(keys)]
        used = (time.process_time() - before) / (time.monotonic() - began)
        print(f"{models} of them: key to paint {times(delays)}; {used:.1%} of a core", end=", ")
        print(f"{process.memory_info().rss / MIB:.0f} MiB", flush=True)
        resized = await _timed(app, pilot.resize_terminal(SIZE[0] - 10, SIZE[1]))
        for model in scripted.values():
            model.ended = True
        await _until(lambda: not app.chat.dialogue.answering)
        opened = await _reopened(app)
        print(f"  resized in {resized * 1e3:.0f} ms, opened again in {opened * 1e3:.0f} ms")
    smooth = share(delays, 0.99) <= PROMISED_KEY_SECONDS and used <= PROMISED_SHARE
    failed = promise(f"{models}: key to paint p99 at most 50 ms, at most {PROMISED_SHARE:.0%} of a core", kept=smooth)
    quick = max(resized, opened) <= PROMISED_OPEN_SECONDS
    return max(failed, promise(f"{models}: resized and opened within {PROMISED_OPEN_SECONDS:g} s", kept=quick))


async def _key_to_paint(app: Chatting) -> float:
    """Seconds from a key until its letter has been painted, pressed at any moment."""
    await asyncio.sleep(random.uniform(0, 2 * PAUSE_SECONDS))  # noqa: S311 -- nothing is to be kept secret
    if len(app.prompt.text) > SIZE[0] // 2:
        app.prompt.clear()
    typed = len(app.prompt.text)
    began = time.monotonic()
    app.simulate_key("a")
    await _until(lambda: len(app.prompt.text) > typed)
    await _painted(app)
    return time.monotonic() - began


async def _reopened(app: Chatting) -> float:
    """Seconds until the end of that chat can be scrolled, once it is asked for as if by another run."""
    chat = app.chat.dialogue.chat_id
    assert chat is not None
    dialogue = Dialogues(app._ask, app.store, app._run).reopen(chat)  # noqa: SLF001 -- as another run would open it
    assert dialogue is not None
    return await _timed(app, app.open(dialogue))


async def _timed(app: Chatting, change: Awaitable[object]) -> float:
    """Seconds until a change has been painted, with the end of the answers in view."""
    began = time.monotonic()
    await change
    await _until(lambda: any(_ended(column.transcript) for column in app.chat.query(Column)))
    await _painted(app)
    return time.monotonic() - began


def _ended(transcript: Transcript) -> bool:
    """Whether it can be scrolled, and shows its end."""
    return 0 < transcript.max_scroll_y == transcript.scroll_y


async def _painted(app: Chatting) -> None:
    """Return once the screen has been painted."""
    painted = asyncio.Event()
    app.call_later(lambda: app.prompt.call_after_refresh(painted.set))
    await painted.wait()


async def _until(holds: Callable[[], bool]) -> None:
    """Return once it holds."""
    while not holds():  # noqa: ASYNC110 -- nobody tells when a key has arrived
        await asyncio.sleep(0.001)


if __name__ == "__main__":
    sys.exit(main())
