"""The command line, read off the table of verbs. Imports nothing that `--help` would have to wait for."""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from fleetview import __version__
from fleetview.verbs import VERBS, Argument, Verb

LEVELS = ("debug", "info", "warning", "error")
DESCRIPTION = "A terminal dashboard for a fleet of machines that run language models. Without a verb: the dashboard."
STATUSES = """exit status:
  0 done; 1 failed or rolled back; 2 wrong usage or configuration; 3 node not reachable; 4 refused; 130 interrupted.
  An interrupt while an operation is waited for cancels it, and its roll back is waited for."""


class Parser(argparse.ArgumentParser):
    """Tells a mistake in one sentence, with the nearest right word."""

    def error(self, message: str) -> NoReturn:
        """Leave with status 2."""
        sentence = f"{message[:1].lower()}{message[1:]}; see {self.prog} --help"
        if found := re.search(r"argument (\w+): invalid choice: '([^']*)' \(choose from (.*)\)", message):
            what, word, choices = found.groups()
            if near := difflib.get_close_matches(word, re.findall(r"[\w-]+", choices), n=1):
                sentence = f"there is no {what.lower()} {word}; did you mean {near[0]}?"
            else:
                sentence = f"there is no {what.lower()} {word}; see {self.prog} --help"
        from fleetview.present.text import plain  # nothing else here needs it

        self.exit(2, f"fleetview: {plain(sentence, 2000)}\n")


def parse(words: Sequence[str]) -> argparse.Namespace:
    """What is asked for. Leaves with status 2 and a sentence when that makes no sense."""
    parser = _parser()
    for word in words:
        if any("\ud800" <= char <= "\udfff" for char in word):
            parser.error(f"{word!a} is not text in UTF-8")
    return parser.parse_args(words)


def _parser() -> Parser:
    """The parser of every verb."""
    parser = Parser(
        prog="fleetview",
        description=DESCRIPTION,
        epilog=STATUSES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"fleetview {__version__}")
    _add_common(parser, inherit=False)
    parser.add_argument("--readonly", action="store_true", help="nothing can be changed")
    parser.set_defaults(json=False)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", parser_class=Parser)
    for verb in VERBS:
        _add_verb(verbs, verb)
    return parser


def _add_common(parser: argparse.ArgumentParser, *, inherit: bool) -> None:
    """What may stand before the verb and behind it; there it must not undo what stood before."""
    absent: dict[str, Any] = {"default": argparse.SUPPRESS} if inherit else {}  # Any: argparse takes what it is given
    parser.add_argument("--fleet", metavar="FILE", type=Path, help="the fleet file", **absent)
    parser.add_argument("--log-file", metavar="FILE", type=Path, help="where to log", **absent)
    level = absent or {"default": "warning"}
    parser.add_argument("--log-level", metavar="LEVEL", choices=LEVELS, help=f"how much: {', '.join(LEVELS)}", **level)


def _add_verb(verbs: Any, verb: Verb) -> None:  # Any: argparse keeps the class of its subparsers to itself
    """One verb with its arguments."""
    parser = verbs.add_parser(verb.name, help=verb.summary, description=verb.summary, allow_abbrev=False)
    for argument in verb.arguments:
        _add_argument(parser, argument)
    parser.add_argument("--json", action="store_true", help="print JSON", default=argparse.SUPPRESS)
    _add_common(parser, inherit=True)


def _add_argument(parser: argparse.ArgumentParser, argument: Argument) -> None:
    """One argument of a verb."""
    kind = _number if argument.kind == "number" else str
    if not argument.name.startswith("-"):
        count = {"one": None, "optional": "?", "any": "*"}[argument.count]
        name = argument.name.lower() + ("s" if argument.count == "any" else "")
        choices = argument.choices or None
        parser.add_argument(name, metavar=argument.name, nargs=count, help=argument.summary, choices=choices)
    elif argument.value is None:
        parser.add_argument(argument.name, action="store_true", help=argument.summary)
    else:
        names = (argument.short, argument.name) if argument.short else (argument.name,)
        parser.add_argument(
            *names, metavar=argument.value, type=kind, help=argument.summary, required=argument.required
        )


def _number(text: str) -> int:
    """A whole number above zero. Raises ArgumentTypeError."""
    if not re.fullmatch(r"0*[1-9][0-9]{0,7}", text):
        raise argparse.ArgumentTypeError(f"{text[:20]} is not a whole number from 1 to 99999999")
    return int(text)
