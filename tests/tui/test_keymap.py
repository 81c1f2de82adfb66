"""Keys of the fleet file: which actions and keys there are, which are taken, and what Textual makes of them."""

from __future__ import annotations

import importlib
import pkgutil
import tomllib

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

import fleetview.screens
import fleetview.widgets
from fleetview.acting_app import ActingApp
from fleetview.key_names import EXCEPTIONS, normal, objection
from fleetview.keymap import default_keys, scopes, textual_keymap, wrong_keys
from fleetview.themes import wrong_theme
from fleetview.verbs import VERBS


def wrong(keys: str) -> list[str]:
    """What is said of a section [keys]."""
    return [sentence for _, sentence in wrong_keys(tomllib.loads(f"[keys]\n{keys}"))]


def declared_anywhere() -> set[type[DOMNode]]:
    """Every class of ours, in any module of screens and widgets, that declares keys."""
    modules = [
        importlib.import_module(module.name)
        for package in (fleetview.screens, fleetview.widgets)
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    ]
    return {
        one
        for module in modules
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, DOMNode) and one.__module__ == module.__name__
        if one.__dict__.get("BINDINGS")
    }


def test_no_screen_or_widget_that_declares_keys_is_forgotten() -> None:
    known = {part for scope in scopes() for owner in scope.owners for part in owner.__mro__}
    assert declared_anywhere() - known == set()


def test_every_declared_key_has_an_id_that_the_fleet_file_may_name() -> None:
    ids = default_keys()
    owners = (ActingApp, *declared_anywhere())
    declared = [binding for owner in owners for binding in owner.__dict__["BINDINGS"]]
    assert len(declared) > 50
    assert {binding.id for binding in declared if isinstance(binding, Binding)} == set(ids)
    assert {verb.id for verb in VERBS if verb.id} <= set(ids)


def test_our_own_keys_keep_the_rules_for_those_of_the_fleet_file() -> None:
    ids = default_keys()
    assert [f"{name} {why}" for name, keys in ids.items() for key in keys if (why := objection(name, key))] == []
    assert all(key in ids[name] for name, key in EXCEPTIONS)


def test_the_keys_that_we_declare_may_be_written_down_without_a_complaint() -> None:
    declared = {name: keys.split(",") for name, keys in textual_keymap({"node.swap": "s"}).items()}
    assert len(declared) > 50
    assert list(wrong_keys({"keys": declared})) == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('"node.swpa" = "s"', "there is no action node.swpa; did you mean node.swap?"),
        ('"zzz" = "s"', "there is no action zzz; `fleetview config schema` lists all"),
        ('"node.swap" = "ctrl+b"', "keys.node.swap cannot be ctrl+b: it is the prefix of tmux"),
        ('"node.swap" = "ctrl+a"', "keys.node.swap cannot be ctrl+a: it is the prefix of screen, and of many a tmux"),
        ('"node.swap" = "ctrl+@"', "keys.node.swap cannot be ctrl+@: it is the prefix of many a tmux, and nothing"),
        ('"node.swap" = "ctrl+i"', "keys.node.swap cannot be ctrl+i: terminals send it for Tab"),
        ('"node.swap" = "ctrl+["', "keys.node.swap cannot be ctrl+[: terminals send it for Esc"),
        ('"node.swap" = "ctrl+j"', "keys.node.swap cannot be ctrl+j: terminals send it for Enter"),
        ('"node.swap" = "ctrl+q"', "keys.node.swap cannot be ctrl+q: it halts and resumes the output of terminals"),
        ('"node.swap" = "ctrl+z"', "keys.node.swap cannot be ctrl+z: it leads to the shell, and to nothing else"),
        ("\"node.swap\" = 'ctrl+\\'", "keys.node.swap cannot be ctrl+\\: it ends programs"),
        ('"node.swap" = "ctrl+d"', "keys.node.swap cannot be ctrl+d: it is the end of input"),
        ('"node.swap" = "shift+ctrl+x"', "keys.node.swap cannot be shift+ctrl+x: few terminals send it"),
        ('"node.swap" = "shift+enter"', "keys.node.swap cannot be shift+enter: few terminals send it"),
        ('"node.swap" = "alt+s"', "keys.node.swap cannot be alt+s: it arrives as Esc and another key"),
        ('"node.swap" = "f11"', "keys.node.swap cannot be f11: terminals and macOS keep it for themselves"),
        ('"node.swap" = "shift+f1"', "keys.node.swap cannot be shift+f1: terminals and macOS keep it for themselves"),
        ('"node.swap" = "shift+s"', "keys.node.swap cannot be shift+s: terminals send that as S"),
        ('"node.swap" = "pgdown"', "keys.node.swap cannot be 'pgdown': there is no such key; did you mean pagedown?"),
        ('"node.swap" = "Ctrl+X"', "keys.node.swap cannot be 'Ctrl+X': there is no such key; did you mean ctrl+x?"),
        ('"node.swap" = "s,f5"', "keys.node.swap cannot be 's,f5': there is no such key"),
        ('"node.swap" = ""', "keys.node.swap cannot be '': there is no such key"),
        ('"node.swap" = []', "keys.node.swap must have at least one key"),
        ('"node.swap" = "x"', "keys.node.swap cannot be x: that is the key of model.unload"),
        ('"node.swap" = "q"', "keys.node.swap cannot be q: that is the key of app.back"),
        ('"node.swap" = "j"', "keys.node.swap cannot be j: that is the key of move.down"),
        ('"app.help" = "i"', "keys.app.help cannot be i: that is the key of chat.type"),
        ('"confirm.yes" = "n"', "keys.confirm.yes cannot be n: that is the key of confirm.no"),
    ],
)
def test_a_key_that_cannot_be_is_named_with_the_reason(line: str, said: str) -> None:
    (sentence,) = wrong(line)
    assert sentence.startswith(said)


@pytest.mark.parametrize(
    "lines",
    [
        '"node.swap" = "s"',
        '"node.swap" = ["S", "f5", "="]',
        '"node.swap" = "x"\n"model.unload" = "s"',
        '"chat.new_line" = "ctrl+j"',
        '"app.suspend" = ["ctrl+z", "f9"]',
        '"app.help" = ["f1", "?"]',
        '"confirm.yes" = ["y", "p"]',
        '"node.swap" = ","',
        '"chat.stop" = "f5"',
    ],
)
def test_keys_that_nobody_else_has_are_taken(lines: str) -> None:
    assert wrong(lines) == []


def test_two_actions_that_are_given_one_key_are_told_once() -> None:
    lines = '"node.swap" = "f5"\n"model.unload" = "f5"'
    assert wrong(lines) == ["keys.node.swap cannot be f5: that is the key of model.unload"]


def test_what_has_a_wrong_form_is_left_to_those_who_mind_the_form() -> None:
    for document in ({}, {"keys": 3}, {"keys": {"node.swap": 3}}, {"keys": {"node": {"swap": "s"}}}):
        assert list(wrong_keys(document)) == []


def test_keys_are_named_as_textual_names_them() -> None:
    written = ("?", ",", " ", "+", "ctrl+_", "shift+ctrl+left", "G", "f5", "ctrl+", "hyper+x")
    assert list(map(normal, written)) == [
        "question_mark",
        "comma",
        "space",
        "plus",
        "ctrl+underscore",
        "ctrl+shift+left",
        "G",
        "f5",
        "ctrl+",
        "hyper+x",
    ]


def test_without_keys_of_its_own_a_fleet_file_changes_none() -> None:
    assert textual_keymap({}) == {}


def test_actions_that_share_a_key_with_others_are_declared_alike_everywhere() -> None:
    """Textual takes a key from all who share it; it comes back to those whose keys are the same everywhere."""
    kept = set(textual_keymap({"node.swap": "s"}))
    for scope in scopes():
        for owner in scope.owners:
            own: dict[str, list[str]] = {}
            for part in owner.__mro__:
                for binding in Binding.make_bindings(part.__dict__.get("BINDINGS", ())):
                    if binding.id:
                        own.setdefault(binding.key, []).append(binding.id)
            assert {name for names in own.values() if len(names) > 1 for name in names} <= kept


def test_an_unknown_theme_is_named_with_the_nearest_or_with_all() -> None:
    assert list(wrong_theme({"ui": {"theme": "fleet-drak"}})) == [
        (("ui", "theme"), "there is no theme fleet-drak; did you mean fleet-dark?")
    ]
    ((_, sentence),) = wrong_theme({"ui": {"theme": "zzzzz"}})
    assert sentence.startswith("there is no theme zzzzz; there are fleet-dark, fleet-light, ")
    assert "nord" in sentence
    for document in ({}, {"ui": 3}, {"ui": {"theme": 3}}, {"ui": {"theme": "nord"}}, {"ui": {"theme": "fleet-light"}}):
        assert list(wrong_theme(document)) == []


def test_a_dialog_that_inherits_no_keys_is_listed_with_none_of_those_that_it_lacks() -> None:
    sorting = next(scope for scope in scopes() if scope.owners[0].__name__ == "SortModels")
    assert {name.partition(".")[0] for name in sorting.keys} == {"sort_models"}
