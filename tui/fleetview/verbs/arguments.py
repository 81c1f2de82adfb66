"""What a verb of fleetview consists of, and the words that may follow several of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Argument:
    """A word that may follow a verb on the command line."""

    name: str
    """`NODE` for a place, `--ctx` for an option."""
    summary: str
    value: str | None = None
    """What stands for an option's value in help; None: the option is a switch."""
    kind: Literal["text", "number", "layers"] = "text"
    count: Literal["one", "optional", "any", "some"] = "one"
    """How many words a place takes."""
    short: str | None = None
    required: bool = False
    """Whether an option has to be there."""
    choices: tuple[str, ...] = ()
    least: int = 1
    most: int = 99_999_999
    """Bounds of a number."""
    field: str | None = None
    """What the command line calls its value inside, where not by its name."""


@dataclass(frozen=True)
class Verb:
    """Something an operator does to a node or a model."""

    name: str
    """As on the command line, without the program's name."""
    label: str
    """One word for the footer."""
    summary: str
    """One sentence for help, palette and `--help`."""
    id: str | None = None
    """Of the action, for `[keys]` of the fleet file; None: no key."""
    keys: str | None = None
    """Comma-separated, as Textual spells them."""
    twin: str | None = None
    """The command line that does the same as the key, with placeholders."""
    arguments: tuple[Argument, ...] = ()
    shown: bool = True
    """Whether the last line of a screen tells the key."""
    done: str | None = None
    """What it has done once it has ended, in a word or two; None: it changes nothing, or only takes back."""
    about: Literal["resident"] | None = None
    """What its key, or without one the menu, asks for before it shows the plan: a model in memory; None: it has
    dialogs of its own."""

    @property
    def changes(self) -> bool:
        """Whether it changes a node."""
        return DRY_RUN in self.arguments


NODE = Argument("NODE", "a node of the fleet file")
NODES = Argument("NODE", "nodes of the fleet file; all when none is named", count="any")
MODEL = Argument("MODEL", "BACKEND/MODEL, or the model alone where that is clear")
CONTEXT = Argument("--ctx", "tokens of context", "N", "number")
EVICT = Argument("--evict", "who leaves: auto, none, all, or models by name, separated by commas", "WHO")
KEEP_FOR = Argument("--keep", "how long it stays after its last answer: 30m, 2h, forever, or default", "DURATION")
FORCE = Argument("--force", "even if it is not thought to fit")
NO_WAIT = Argument("--no-wait", "print the id of the operation, and do not wait for its end")
DRY_RUN = Argument("--dry-run", "show what would be done; changes nothing")
BACKEND = Argument("BACKEND", "an engine of the node, such as ollama")
NAME = Argument("MODEL", "BACKEND/MODEL, or the model alone where one engine of the node can do it")
HOW = (NO_WAIT, DRY_RUN)
SWITCH = ("on", "off")
LOG_LEVELS = ("debug", "info", "warning", "error")
CACHE_TYPES = ("f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl")
OPTIONS = (
    Argument("--batch", "tokens of a prompt that are read at once", "N", "number", least=32, most=16_384),
    Argument("--flash-attention", "on or off; what is not said is left to the engine", "SWITCH", choices=SWITCH),
    Argument("--cache-type-k", "how the keys of the cache are kept, as in f16 or q8_0", "TYPE", choices=CACHE_TYPES),
    Argument(
        "--cache-type-v", "how its values are kept; below 16 bits with flash attention", "TYPE", choices=CACHE_TYPES
    ),
    Argument("--gpu-layers", "layers on the GPU: a number, all, or 0 for none", "N", "layers", most=10_000),
    Argument("--mmap", "on: the file is mapped into memory; off: it is read", "SWITCH", choices=SWITCH),
    Argument("--mlock", "never let the weights be swapped out"),
    Argument("--threads", "threads of the CPU", "N", "number", most=1024),
    Argument("--template", "a file with a chat template (Jinja) in place of the model's own", "FILE"),
)
"""How a model is loaded, besides its context."""
