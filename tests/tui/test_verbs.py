"""The one table of verbs, and the command line that is read off it."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from fleetview.verbs import UNDO, VERBS
from fleetview.verbs.arguments import CACHE_TYPES
from fleetview.words.parser import parse
from fleetview_agent.wire import CacheType


def mistake(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What is said of a wrong command line."""
    with pytest.raises(SystemExit) as left:
        parse(words)
    assert left.value.code == 2
    return capsys.readouterr().err


def test_names_ids_and_keys_are_each_there_once() -> None:
    for values in (
        [verb.name for verb in VERBS],
        [verb.id for verb in VERBS if verb.id],
        [key for verb in VERBS if verb.keys for key in verb.keys.split(",")],
    ):
        assert len(set(values)) == len(values)


def test_every_verb_that_changes_a_node_says_what_it_has_done() -> None:
    assert {verb.name for verb in VERBS if verb.changes and not verb.done} == {UNDO.name}


def test_every_twin_is_a_command_line_that_is_understood() -> None:
    for verb in VERBS:
        if verb.twin:
            program, *words = verb.twin.split()
            assert program == "fleetview"
            assert parse(words).verb == verb.name


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_every_verb_explains_itself_and_its_arguments(verb: object, capsys: pytest.CaptureFixture[str]) -> None:
    (row,) = [row for row in VERBS if row is verb]
    with pytest.raises(SystemExit) as left:
        parse((row.name, "--help"))
    told = " ".join(capsys.readouterr().out.split())
    assert left.value.code == 0
    assert row.summary in told
    assert "--json" in told
    assert all(argument.name in told and argument.summary in told for argument in row.arguments)


def test_common_options_may_stand_before_the_verb_or_behind_it() -> None:
    before = parse(("--fleet", "f", "--log-level", "info", "status", "--json"))
    behind = parse(("status", "--json", "--log-level", "info", "--fleet", "f"))
    assert before == behind
    assert before.fleet == Path("f")
    assert parse(("status",)).json is False


def test_without_a_verb_it_is_the_dashboard() -> None:
    arguments = parse(("--readonly",))
    assert arguments.verb is None
    assert arguments.readonly


def test_a_plan_over_the_fleet_leaves_the_fleet_file_its_own_place() -> None:
    everywhere = parse(("--fleet", "f", "plan", "--fleet", "m", "--ctx", "4096"))
    assert (everywhere.fleet, everywhere.anywhere, everywhere.ctx) == (Path("f"), "m", 4096)
    for words in (("--fleet", "f", "plan", "here", "m"), ("plan", "here", "m", "--fleet", "f")):
        one = parse(words)
        assert (one.fleet, one.anywhere, one.node, one.model) == (Path("f"), None, "here", "m")


def test_the_types_of_a_cache_are_those_that_agents_understand() -> None:
    assert get_args(CacheType) == CACHE_TYPES


def test_layers_may_be_all_of_them() -> None:
    for word, layers in (("all", -1), ("-1", -1), ("0", 0), ("24", 24)):
        assert parse(("load", "here", "m", "--gpu-layers", word)).gpu_layers == layers


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("statsu", "fleetview: there is no verb statsu; did you mean status?\n"),
        ("frobnicate", "fleetview: there is no verb frobnicate; see fleetview --help\n"),
        ("config chek", "fleetview: there is no action chek; did you mean check?\n"),
        ("swap here", "fleetview: the following arguments are required: MODEL; see fleetview swap --help\n"),
        (
            "swap here m --ctx 0",
            "fleetview: argument --ctx: 0 is not a whole number from 1 to 99999999; see fleetview swap --help\n",
        ),
        (
            "swap here m --batch 16",
            "fleetview: argument --batch: 16 is not a whole number from 32 to 16384; see fleetview swap --help\n",
        ),
        ("swap here m --cache-type-k q8", "fleetview: --cache-type-k cannot be q8; did you mean q8_0?\n"),
        ("plan here", "fleetview: plan takes NODE and MODEL, or --fleet and MODEL; see fleetview --help\n"),
        (
            "plan here --fleet m",
            "fleetview: plan --fleet MODEL looks at every node, so it takes no NODE; see fleetview --help\n",
        ),
        ("swap here m --frce", "fleetview: unrecognized arguments: --frce; see fleetview swap --help\n"),
        ("status \udcff", "fleetview: '\\udcff' is not text in UTF-8; see fleetview --help\n"),
    ],
)
def test_a_mistake_is_one_sentence_with_the_nearest_word(
    words: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mistake(capsys, *words.split()) == said
