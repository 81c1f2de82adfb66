"""Who runs the server, and what would be done: one row for each case."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fleetview_agent.backends.ollama.supervise.decide import Verdict, decide
from fleetview_agent.backends.ollama.supervise.facts import Ancestor, App, Facts, OwnChild
from tests.agent.backends.ollama.supervise.cases import (
    APP_PARENT,
    BOOTOUT,
    BOOTSTRAP,
    BREW,
    BREW_IDLE,
    DAEMON,
    FACTS,
    KICK,
    PLIST,
    SPAWN,
    UNIT,
    UNIT_PLACE,
    USER_UNIT_PLACE,
    a_server,
    the,
)


def commands(verdict: Verdict) -> tuple[tuple[str, ...], ...]:
    """What start, stop and restart would run."""
    start, stop, restart = (verdict.told(verb) for verb in ("start", "stop", "restart"))
    assert (start.refusal, stop.refusal, restart.refusal) == (None, None, None)
    return start.commands, stop.commands, restart.commands


@pytest.mark.parametrize(
    ("facts", "name", "stop", "again"),
    [
        pytest.param(
            the(servers=(a_server(),), jobs=(BREW,)),
            "launchd agent homebrew.mxcl.ollama (Homebrew)",
            (BOOTOUT,),
            (BOOTSTRAP,),
            id="homebrew",
        ),
        pytest.param(
            the(servers=(a_server(),), jobs=(replace(BREW, label="ai.me", runs_at_load=False),)),
            "launchd agent ai.me",
            ("launchctl bootout gui/501/ai.me",),
            (BOOTSTRAP, "launchctl kickstart gui/501/ai.me"),
            id="own launchd agent",
        ),
        pytest.param(
            the(servers=(a_server(),), jobs=(replace(BREW, domain="user/501"),), has_screen=False),
            "launchd agent homebrew.mxcl.ollama (Homebrew)",
            ("launchctl bootout user/501/homebrew.mxcl.ollama",),
            (f"launchctl bootstrap user/501 {PLIST}",),
            id="homebrew over ssh",
        ),
        pytest.param(
            the(servers=(a_server(user="root", ports=None),), jobs=(DAEMON,)),
            "launchd daemon com.me.ollama",
            ("sudo -n launchctl bootout system/com.me.ollama",),
            (f"sudo -n launchctl bootstrap system {DAEMON.plist}",),
            id="launchd daemon",
        ),
        pytest.param(
            the(servers=(a_server(123, APP_PARENT),), app=App(99, 1.0)),
            "Ollama.app",
            ("kill -TERM 99",),
            ("open -a Ollama --args hidden",),
            id="app",
        ),
        pytest.param(
            the(servers=(a_server(ports=None, **UNIT_PLACE),), units=(UNIT,)),
            "systemd service ollama",
            ("sudo -n systemctl stop ollama.service",),
            ("sudo -n systemctl start ollama.service",),
            id="systemd",
        ),
        pytest.param(
            the(servers=(a_server(**UNIT_PLACE),), units=(UNIT,), uid=0, has_sudo=False),
            "systemd service ollama",
            ("systemctl stop ollama.service",),
            ("systemctl start ollama.service",),
            id="systemd as root",
        ),
        pytest.param(
            the(servers=(a_server(**USER_UNIT_PLACE),), units=(replace(UNIT, manager=501),), has_sudo=False),
            "systemd user service ollama",
            ("systemctl --user stop ollama.service",),
            ("systemctl --user start ollama.service",),
            id="systemd of the account",
        ),
        pytest.param(
            the(servers=(a_server(123, Ancestor(50, "zsh"), Ancestor(40, "tmux: server")),)),
            "ollama serve (pid 123, started by hand in tmux)",
            ("kill -TERM 123",),
            (SPAWN,),
            id="tmux",
        ),
        pytest.param(
            the(servers=(a_server(ports=()),)),
            "ollama serve (pid 123, started by hand)",
            ("kill -TERM 123",),
            (SPAWN,),
            id="nohup, about to listen",
        ),
        pytest.param(
            the(
                servers=(a_server(environment={"OLLAMA_MODELS": "/big disk", "OLLAMA_HOST": "x", "HOME": "/"}),),
                program=None,
            ),
            "ollama serve (pid 123, started by hand)",
            ("kill -TERM 123",),
            None,
            id="by hand, from a place of its own",
        ),
        pytest.param(
            the(
                servers=(a_server(cgroup="/system.slice/fleetview-agent.service"),),
                child=OwnChild(123, 1.0, Path("/log")),
            ),
            "fleetview-agent",
            ("kill -TERM 123",),
            (SPAWN,),
            id="our own",
        ),
    ],
)
def test_who_runs_the_server_is_told_and_asked(
    facts: Facts, name: str, stop: tuple[str, ...], again: tuple[str, ...] | None
) -> None:
    verdict = decide(facts)
    assert (verdict.name, verdict.conflict, verdict.told("stop").commands) == (name, None, stop)
    if again is None:
        assert "there is no ollama on this machine" in str(verdict.told("restart").refusal)
        return
    assert commands(verdict) == ((), stop, (*stop, *again))
    after = decide(replace(facts, servers=(), jobs=(), units=(), app=None, child=None), verdict.keeper.stopped())
    assert commands(after) == (again, (), again)
    assert after.name is None


def test_settings_of_a_server_started_by_hand_go_over_to_ours() -> None:
    settings = {"OLLAMA_MODELS": "/big disk", "OLLAMA_HOST": "[::]", "HOME": "/home/me", "LLAMA_ARG_FIT": "off"}
    [_, spawn] = decide(the(servers=(a_server(environment=settings),))).told("restart").commands
    assert spawn == (
        "LLAMA_ARG_FIT=off OLLAMA_HOST=127.0.0.1:11434 OLLAMA_MODELS='/big disk' /usr/local/bin/ollama serve"
    )


@pytest.mark.parametrize(
    ("facts", "start"),
    [
        pytest.param(FACTS, (SPAWN,), id="nobody"),
        pytest.param(the(jobs=(BREW_IDLE,)), (BOOTSTRAP,), id="homebrew, not loaded"),
        pytest.param(the(jobs=(replace(BREW, pid=None, keeps_alive=False),)), (KICK,), id="loaded, ended"),
        pytest.param(
            the(jobs=(BREW_IDLE,), has_screen=False), (f"launchctl bootstrap user/501 {PLIST}",), id="homebrew over ssh"
        ),
        pytest.param(the(jobs=(BREW_IDLE,), app=App()), (BOOTSTRAP,), id="a service before the app"),
        pytest.param(the(app=App()), ("open -a Ollama --args hidden",), id="app"),
        pytest.param(the(app=App(), has_screen=False), (SPAWN,), id="app without a screen"),
        pytest.param(
            the(units=(replace(UNIT, active="failed", main_pid=None),)),
            ("sudo -n systemctl start ollama.service",),
            id="systemd, failed",
        ),
        pytest.param(the(units=(replace(UNIT, active="inactive", file_state="masked"),)), (SPAWN,), id="masked"),
        pytest.param(the(jobs=(replace(BREW, port=11500),)), (SPAWN,), id="a service for another port"),
    ],
)
def test_where_nobody_runs_the_server_it_is_started_in_the_way_that_is_set_up(
    facts: Facts, start: tuple[str, ...]
) -> None:
    verdict = decide(facts)
    assert (verdict.name, commands(verdict)) == (None, (start, (), start))


def test_a_server_elsewhere_is_no_matter_where_the_address_was_chosen() -> None:
    verdict = decide(the(servers=(a_server(ports=(11500,)),), address_is_chosen=True))
    assert (verdict.conflict, verdict.told("start").commands) == (None, (SPAWN,))


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({"OLLAMA_HOST": "127.0.0.1:11434"}, "ollama serve (pid 123, started by hand)"),
        ({"HOME": "/home/me"}, "ollama serve (pid 123, started by hand)"),
        ({"OLLAMA_HOST": "127.0.0.1:11500"}, None),
    ],
)
def test_where_a_server_will_listen_is_known_by_its_environment(environment: dict[str, str], name: str | None) -> None:
    verdict = decide(the(servers=(a_server(ports=(), environment=environment),), address_is_chosen=True))
    assert (verdict.name, verdict.conflict) == (name, None)


def test_a_service_whose_server_is_elsewhere_is_no_rival() -> None:
    elsewhere = a_server(200, ports=(11500,), **UNIT_PLACE)
    verdict = decide(the(servers=(a_server(), elsewhere), units=(replace(UNIT, main_pid=200),)))
    assert (verdict.name, verdict.conflict) == ("ollama serve (pid 123, started by hand)", None)


def test_a_stranger_at_the_address_is_named() -> None:
    assert decide(the(taken_by="docker-proxy (pid 7)")).name == "docker-proxy (pid 7)"


def test_our_own_server_is_ours_wherever_its_environment_lets_it_listen() -> None:
    verdict = decide(the(servers=(a_server(ports=(11500,)),), child=OwnChild(123, 1.0, Path("/log"))))
    assert (verdict.name, verdict.told("stop").commands) == ("fleetview-agent", ("kill -TERM 123",))
