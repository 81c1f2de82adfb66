"""What is not done, and why: one row for each case."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleetview_agent.backends.ollama.supervise.decide import decide
from fleetview_agent.backends.ollama.supervise.facts import Ancestor, App, Facts, Unit
from tests.agent.backends.ollama.supervise.cases import (
    APP_PARENT,
    BREW,
    BREW_IDLE,
    UNIT,
    UNIT_PLACE,
    a_server,
    the,
)


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        pytest.param(
            the(servers=(a_server(), a_server(200))),
            "ollama serve (pid 123, started by hand) and ollama serve (pid 200, started by hand) run here at once",
            id="two on one port",
        ),
        pytest.param(
            the(servers=(a_server(ports=None), a_server(200, ports=None))), "run here at once", id="two, and who knows"
        ),
        pytest.param(
            the(servers=(a_server(123, APP_PARENT),), app=App(99), jobs=(replace(BREW, pid=None),)),
            "Ollama.app and launchd agent homebrew.mxcl.ollama (Homebrew) run Ollama here at once",
            id="app and homebrew",
        ),
        pytest.param(
            the(servers=(a_server(123, APP_PARENT), a_server(200, ports=(11500,))), app=App(99)),
            "Ollama.app ends every other server",
            id="app, and one elsewhere",
        ),
        pytest.param(
            the(servers=(a_server(),), units=(replace(UNIT, active="activating", main_pid=None),)),
            "ollama serve (pid 123, started by hand) and systemd service ollama run Ollama here at once",
            id="by hand, and systemd keeps trying",
        ),
        pytest.param(
            the(jobs=(replace(BREW, pid=None),), app=App(99)), "try to run Ollama here at once", id="two that try"
        ),
        pytest.param(
            the(servers=(a_server(ports=(11500,)),)),
            "already runs on this machine, though not at 127.0.0.1:11434; set the address in [ollama] of agent.toml",
            id="one elsewhere",
        ),
    ],
)
def test_those_who_would_fight_are_told_and_left_alone(facts: Facts, sentence: str) -> None:
    verdict = decide(facts)
    assert sentence in str(verdict.conflict)
    for verb in ("start", "stop", "restart"):
        steps = verdict.told(verb)
        assert (steps.commands, steps.refusal) == ((), verdict.conflict)


@pytest.mark.parametrize(
    ("facts", "verbs", "sentence"),
    [
        pytest.param(the(servers=(a_server(user="you"),)), "stop restart", "belongs to account you", id="another's"),
        pytest.param(the(servers=(a_server(user=None),)), "stop restart", "belongs to another account", id="unknown"),
        pytest.param(
            the(servers=(a_server(user="ollama", ports=None, cgroup="/docker/1f"),)),
            "stop restart",
            "start and stop it with what runs that container",
            id="container",
        ),
        pytest.param(
            the(servers=(a_server(123, Ancestor(70, "supervisord")),)),
            "stop restart",
            "run by supervisord (pid 70), which starts it again",
            id="another supervisor",
        ),
        pytest.param(
            the(servers=(a_server(**UNIT_PLACE),), units=(UNIT,), has_sudo=False),
            "stop restart",
            "belongs to root, and there is no sudo",
            id="systemd without sudo",
        ),
        pytest.param(
            the(
                servers=(a_server(user="you", cgroup="/user.slice/user@502.service/app.slice/ollama.service"),),
                units=(Unit("ollama.service", 502, "active"),),
            ),
            "stop restart",
            "belongs to another account (uid 502)",
            id="systemd of another account",
        ),
        pytest.param(
            the(servers=(a_server(),), jobs=(replace(BREW, plist=None),)),
            "stop restart",
            "has no property list, so it could not be started again",
            id="launchd without a file",
        ),
        pytest.param(
            the(jobs=(replace(BREW_IDLE, sessions=()),), has_screen=False),
            "start restart",
            "logged in at the screen of this Mac",
            id="launchd over ssh",
        ),
        pytest.param(
            the(servers=(a_server(123, APP_PARENT),), app=App(99), has_screen=False),
            "restart",
            "Ollama.app needs an account that is logged in at the screen",
            id="app over ssh",
        ),
        pytest.param(
            the(jobs=(BREW_IDLE,), units=(replace(UNIT, active="inactive"),)),
            "start restart",
            "are all set up to run Ollama, and none does",
            id="two set up",
        ),
        pytest.param(the(program=None), "start restart", "there is no ollama on this machine", id="not installed"),
        pytest.param(
            the(taken_by="python (pid 5)"),
            "start stop restart",
            "127.0.0.1:11434 is taken by python (pid 5), which is no Ollama server of this machine",
            id="port taken",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_with_what_to_do(facts: Facts, verbs: str, sentence: str) -> None:
    verdict = decide(facts)
    assert verdict.conflict is None
    for verb in ("start", "stop", "restart"):
        steps = verdict.told(verb)
        assert sentence in str(steps.refusal) if verb in verbs.split() else steps.refusal is None
        assert steps.commands == () or verb not in verbs.split()
