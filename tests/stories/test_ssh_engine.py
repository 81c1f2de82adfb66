"""The real engine and a real model, behind ssh."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from tests.sshd import needs_sshd
from tests.stories.conftest import LARGE, SHORT, SMALL, needs_engine, until
from tests.stories.machines import Desk, Machine, a_desk, a_machine, ended, node

pytestmark = [needs_sshd, needs_engine]

ENGINE = 'sampler = "simulated"\n'
LONG = "Count from one to one thousand in words, one number per line."


@pytest.fixture
def machine() -> Iterator[Machine]:
    with a_machine("studio", settings=ENGINE) as machine:
        yield machine


@pytest.fixture
def desk(machine: Machine) -> Iterator[Desk]:
    with a_desk() as desk:
        desk.may_enter(machine)
        desk.write_fleet(node(machine))
        yield desk


def test_a_real_model_is_loaded_asked_stopped_and_swapped_over_ssh(machine: Machine, desk: Desk) -> None:
    assert desk.json("load", "studio", SMALL, "--ctx", SHORT)["result"] == "done"
    answer = desk.json("chat", "studio", "-p", "What is the capital of France?")
    assert answer["content"]
    assert 0 < answer["time_to_first_token_seconds"] < 60
    assert answer["tokens_per_second"] == pytest.approx(answer["timings"]["predicted_per_second"])

    chat = desk.start("chat", "studio", "-p", LONG)
    assert chat.stdout is not None
    assert os.read(chat.stdout.fileno(), 1)
    chat.send_signal(signal.SIGINT)
    status, _, errors = ended(chat)
    assert (status, "interrupted" in errors) == (130, True)
    until(lambda: machine.idle, "the model to be left in peace", 5)

    assert desk.json("swap", "studio", LARGE, "--ctx", SHORT)["evictions"] == [f"llamacpp/{SMALL}"]
    assert machine.resident == [LARGE]
