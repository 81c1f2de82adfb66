"""The command line, read off the table of verbs. Imports nothing that `--help` would have to wait for."""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from fleetview import __version__
from fleetview.verbs import VERBS, Argument, Verb

LEVELS = ("debug", "info", "warning", "error")
INVALID = re.compile(r"argument (?:-\w/)?(-*)([\w-]+): invalid choice: '([^']*)' \(choose from (.*)\)")
"""How argparse tells that a word is none of those that there are."""
DESCRIPTION = "A terminal dashboard for a fleet of machines that run language models. Without a verb: the dashboard."
STATUSES = """exit status:
  0 done; 1 failed or rolled back; 2 wrong usage or configuration; 3 node not reachable; 4 refused; 130 interrupted.
  An interrupt while an operation is waited for cancels it, and its roll back is waited for."""


class WrongWords(Exception):
    """What is typed makes no sense: a sentence."""

    def __init__(self, sentence: str, program: str) -> None:
        super().__init__(sentence)
        self.program = program
        """Whose help says more; nothing where the sentence says enough."""


class Parser(argparse.ArgumentParser):
    """Tells a mistake in one sentence, with the nearest right word."""

    def error(self, message: str) -> NoReturn:
        """Raise WrongWords."""
        if not (found := INVALID.search(message)):
            raise WrongWords(f"{message[:1].lower()}{message[1:]}", self.prog)
        dashes, what, word, choices = found.groups()
        known = re.findall(r"[\w-]+", choices)
        near = difflib.get_close_matches(word, known, n=1)
        wrong = f"{dashes}{what} cannot be {word}" if dashes else f"there is no {what.lower()} {word}"
        if near:
            raise WrongWords(f"{wrong}; did you mean {near[0]}?", "")
        if dashes:
            raise WrongWords(f"{wrong}; say {', '.join(known[:-1])} or {known[-1]}", "")
        raise WrongWords(wrong, self.prog)


def parse(words: Sequence[str]) -> argparse.Namespace:
    """What is asked for in a shell. Leaves with status 2 and a sentence when that makes no sense."""
    try:
        return _without_verb(words) or _parsed(_parser(), words)
    except WrongWords as problem:
        from fleetview.present.text import plain  # nothing else here needs it

        sentence = f"{problem}; see {problem.program} --help" if problem.program else str(problem)
        sys.stderr.write(f"fleetview: {plain(sentence, 2000)}\n")
        sys.exit(2)


def parse_here(words: Sequence[str], verbs: Sequence[Verb]) -> argparse.Namespace:
    """What is asked for in the dashboard, where words alone can be typed. Raises WrongWords."""
    parser = Parser(prog=":", add_help=False, allow_abbrev=False)
    parsers = parser.add_subparsers(dest="verb", metavar="VERB", parser_class=Parser, required=True)
    for verb in verbs:
        own = parsers.add_parser(verb.name, add_help=False, allow_abbrev=False)
        for argument in verb.arguments:
            _add_argument(own, argument)
    return _parsed(parser, words)


def _without_verb(words: Sequence[str]) -> argparse.Namespace | None:
    """What options alone ask of the dashboard, whose start does not wait for the parsers of all verbs; None: more."""
    parser = Parser(prog="fleetview", add_help=False, allow_abbrev=False)
    _add_own(parser)
    parser.set_defaults(verb=None)
    try:
        arguments, unknown = _known(parser, words)
    except WrongWords:
        return None  # which the other parser tells
    return None if unknown else arguments


def _known(parser: Parser, words: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """What is understood, and the words that are not. Raises WrongWords."""
    for word in words:
        if any("\ud800" <= char <= "\udfff" for char in word):
            parser.error(f"{word!a} is not text in UTF-8")
    return parser.parse_known_args(words)


def _parsed(parser: Parser, words: Sequence[str]) -> argparse.Namespace:
    """What the words ask for. Raises WrongWords."""
    arguments, unknown = _known(parser, words)
    if unknown:
        meant = Parser(prog=f"{parser.prog} {arguments.verb}") if arguments.verb else parser
        meant.error(f"unrecognized arguments: {' '.join(unknown)}")
    return _planned(parser, arguments) if arguments.verb == "plan" else arguments


def _planned(parser: Parser, arguments: argparse.Namespace) -> argparse.Namespace:
    """A plan is of one node and model, or of the whole fleet; beside the former, `--fleet` is the fleet file."""
    if arguments.anywhere is None and arguments.model is None:
        parser.error("plan takes NODE and MODEL, or --fleet and MODEL")
    if arguments.node is not None and arguments.model is None:
        parser.error("plan --fleet MODEL looks at every node, so it takes no NODE")
    if arguments.model is not None and arguments.anywhere is not None:
        arguments.fleet, arguments.anywhere = Path(arguments.anywhere), None
    if arguments.anywhere is not None and (arguments.evict is not None or arguments.force):
        parser.error("plan --fleet tells what fits with nobody and with everybody leaving; no --evict, no --force")
    return arguments


def _parser() -> Parser:
    """The parser of every verb."""
    parser = Parser(
        prog="fleetview",
        description=DESCRIPTION,
        epilog=STATUSES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _add_own(parser)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", parser_class=Parser)
    for verb in VERBS:
        _add_verb(verbs, verb)
    _add_demo(verbs)
    return parser


def _add_own(parser: Parser) -> None:
    """What stands before a verb, or without one."""
    parser.add_argument("--version", action="version", version=f"fleetview {__version__}")
    _add_common(parser, inherit=False)
    parser.add_argument("--readonly", action="store_true", help="nothing can be changed")
    parser.add_argument("--no-history", dest="history", action="store_false", help="keep no chats")
    parser.set_defaults(json=False)


def _add_demo(verbs: Any) -> None:  # Any: as in _add_verb
    """The demonstration, which is about no node and so is no verb of the table."""
    summary = "the dashboard over six Macs that are made up; needs no machine and changes nothing"
    parser = verbs.add_parser("demo", help=summary, description=summary, allow_abbrev=False)
    parser.add_argument("--seed", metavar="TEXT", default="1", help="another one shows another day; default 1")
    _add_common(parser, inherit=True, taken={"--fleet"})


def _add_common(parser: argparse.ArgumentParser, *, inherit: bool, taken: Collection[str] = ()) -> None:
    """What may stand before the verb and behind it; there it must not undo what stood before."""
    absent: dict[str, Any] = {"default": argparse.SUPPRESS} if inherit else {}  # Any: argparse takes what it is given
    if "--fleet" not in taken:
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
    _add_common(parser, inherit=True, taken={argument.name for argument in verb.arguments})


def _add_argument(parser: argparse.ArgumentParser, argument: Argument) -> None:
    """One argument of a verb."""
    if not argument.name.startswith("-"):
        count = {"one": None, "optional": "?", "any": "*", "some": "+"}[argument.count]
        name = argument.name.lower() + ("s" if argument.count in {"any", "some"} else "")
        choices = argument.choices or None
        parser.add_argument(name, metavar=argument.name, nargs=count, help=argument.summary, choices=choices)
        return
    names = (argument.short, argument.name) if argument.short else (argument.name,)
    if argument.value is None:
        parser.add_argument(*names, action="store_true", help=argument.summary)
    else:
        parser.add_argument(
            *names,
            dest=argument.field or argument.name.removeprefix("--").replace("-", "_"),
            metavar=argument.value,
            type=_kind(argument),
            choices=argument.choices or None,
            help=argument.summary,
            required=argument.required,
        )


def _kind(argument: Argument) -> Callable[[str], str | int]:
    """What makes the value of an option out of its text."""
    match argument.kind:
        case "text":
            return str
        case "number":
            return partial(_number, argument.least, argument.most)
        case "layers":
            return partial(_layers, argument.most)


def _number(least: int, most: int, text: str) -> int:
    """A whole number within bounds. Raises ArgumentTypeError."""
    if not re.fullmatch(r"[0-9]{1,12}", text) or not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"{text[:20]} is not a whole number from {least} to {most}")
    return int(text)


def _layers(most: int, text: str) -> int:
    """A number of layers; -1 for all of them. Raises ArgumentTypeError."""
    if text in {"all", "-1"}:
        return -1
    try:
        return _number(0, most, text)
    except argparse.ArgumentTypeError as problem:
        raise argparse.ArgumentTypeError(f"{problem}, nor is it all") from None
