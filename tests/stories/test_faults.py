"""Real processes killed at the worst moment."""

from __future__ import annotations

import json
import os
import signal
import subprocess

import psutil

from tests.stories.conftest import SHORT, SMALL, Home, command, needs_engine, until

pytestmark = needs_engine

LONG = "Count from one to one thousand in words, one number per line."


def worker(home: Home) -> int:
    """The process of the resident model."""
    (node,) = home.json("status")
    pids = [row["pid"] for state in node["backends"] for row in state["resident"] if row["phase"] == "ready"]
    assert len(pids) == 1
    return int(pids[0])


def a_long_answer(home: Home) -> subprocess.Popen[str]:
    """A chat that has begun to answer, and would go on for long."""
    chat = subprocess.Popen(
        [command("fleetview"), "chat", "here", "-p", LONG],
        env=home.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=home.path,
    )
    assert chat.stdout is not None
    assert os.read(chat.stdout.fileno(), 1)
    return chat


def test_a_model_killed_during_an_answer_costs_that_answer_alone(home: Home) -> None:
    home.json("load", "here", SMALL, "--ctx", SHORT)
    child = worker(home)
    chat = a_long_answer(home)
    os.kill(child, signal.SIGKILL)
    _, said = chat.communicate(timeout=30)
    assert chat.returncode == 1
    assert "ended by signal 9" in said
    assert "Traceback" not in said

    (node,) = home.json("status")
    ((failed,),) = [state["resident"] for state in node["backends"] if state["resident"]]
    assert (node["condition"], failed["phase"]) == ("degraded", "failed")
    assert failed["failure"]["exit_status"] == -9
    assert "signal 9" in failed["failure"]["reason"]

    assert home.json("load", "here", SMALL, "--ctx", SHORT)["result"] == "done"
    assert home.json("chat", "here", "-p", "hello")["content"]


def test_a_killed_agent_takes_its_models_with_it(home: Home) -> None:
    home.json("load", "here", SMALL, "--ctx", SHORT)
    child = psutil.Process(worker(home))
    agent = child.parent()
    assert agent is not None
    chat = a_long_answer(home)
    agent.kill()
    child.wait(5)
    _, said = chat.communicate(timeout=30)
    assert chat.returncode != 0
    assert "Traceback" not in said
    until(lambda: home.processes() == [], "everything to be gone")

    (node,) = home.json("status")  # a new agent takes the stale socket over
    assert [row for state in node["backends"] for row in state["resident"]] == []
    assert home.run("fleetview-agent", "stop").returncode == 0


def test_an_agent_killed_in_a_swap_tells_it_in_the_journal_afterwards(home: Home) -> None:
    home.json("status")
    done = home.run("fleetview", "load", "here", SMALL, "--no-wait", "--json")
    assert done.returncode == 0, done.stderr
    (agent,) = [process for process in home.processes() if "serve" in process.cmdline()]
    agent.kill()
    until(lambda: home.processes() == [], "everything to be gone")
    home.json("status")
    journal = home.get("/api/journal")
    assert journal is not None
    assert [entry["result"] for entry in json.loads(journal[1])] == ["interrupted"]
