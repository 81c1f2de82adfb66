"""What made-up models say: a few answers in Markdown, of which prompt and model choose one."""

from __future__ import annotations

from fleetview_agent.backends.simulated import Answer, shares
from fleetview_agent.simulation.catalog import THINKS

LONGEST_QUOTE = 60

_THOUGHTS = """The question is about {quote}. First I should see what is really asked, then choose the simplest thing \
that answers it. An example in code will say more than a long list. I should also name where it stops being a good \
idea, and keep the whole short."""

_ANSWERS = (
    """About *{quote}*: start with the part that changes least, and let everything else depend on it.

1. **Say what is true** in one place, as a value that nobody alters.
2. **Make the next value** out of the last one with a plain function.
3. **Draw only what differs**, since most of a picture stays as it is.

```python
def apply(fleet: dict[str, int], node: str, free: int) -> dict[str, int]:
    \"\"\"The fleet as it is after one node was heard of.\"\"\"
    return {{**fleet, node: free}}
```

A function like this can be tried without a network, and a mistake in it is found by a test of three lines.
What it costs is a copy for each change, which for a few hundred nodes is less than a millisecond.
""",
    """There are two good ways to look at *{quote}*.

| way | fast when | costs |
|---|---|---|
| keep it in memory | it is asked often | room on the GPU |
| load it when wanted | it is asked seldom | seconds before the first token |

The rule of thumb: a model that is asked more than once in **ten minutes** should stay. To see which those are:

```sh
fleetview status
fleetview journal head-primary -n 5
```

If two large models take turns, give each of them a machine of its own; swapping every few minutes heats the disk and
helps nobody.
""",
    """In short: *{quote}* is mostly a matter of how fast memory can be read.

For every token, all weights in use pass through the GPU once. So the upper bound is simple to work out:

```python
def tokens_per_second(bandwidth: float, weights: float) -> float:
    \"\"\"The most that memory allows.\"\"\"
    return bandwidth / weights


print(tokens_per_second(819e9, 42.5e9))  # about 19
```

- Real engines reach **60 to 75 %** of that.
- A mixture of experts reads only a part of its weights, and is faster by that much.
- A smaller quantisation helps twice: it fits where the larger one does not, and it is read sooner.
""",
)


def answer(model: str, prompt: str) -> Answer:
    """What the model says to the prompt: the same whenever it is asked."""
    choice, *_ = shares(f"{model}/{prompt}")
    quote = " ".join(prompt.replace("*", " ").replace("`", " ").split())
    quote = quote if len(quote) <= LONGEST_QUOTE else f"{quote[:LONGEST_QUOTE].rstrip()}…"
    text = _ANSWERS[int(choice * len(_ANSWERS))].format(quote=quote or "nothing in particular")
    return Answer(text, _THOUGHTS.format(quote=quote) if model in THINKS else "")
