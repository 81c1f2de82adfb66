"""What llama.cpp prints reaches whoever follows it."""

from __future__ import annotations

import json
import signal
import subprocess

from tests.stories.conftest import LARGE, SHORT, SMALL, Home, command, needs_engine

pytestmark = needs_engine


def test_lines_of_an_engine_are_kept_and_followed(home: Home) -> None:
    home.json("load", "here", SMALL, "--ctx", SHORT)
    kept = home.json("logs", "here", "llamacpp", "-n", "1000")
    assert {(line["source"], line["model"]) for line in kept} == {("llamacpp", SMALL)}
    assert any("n_ctx" in line["text"] for line in kept)

    words = [command("fleetview"), "logs", "here", "llamacpp", "-f", "-n", "1", "--json"]
    with subprocess.Popen(words, env=home.environment, stdout=subprocess.PIPE, text=True, cwd=home.path) as follower:
        try:
            assert follower.stdout is not None
            assert json.loads(follower.stdout.readline())["model"] == SMALL
            home.json("load", "here", LARGE, "--ctx", SHORT)  # it is connected: what comes now comes by the stream
            assert json.loads(follower.stdout.readline())["model"] == LARGE
            follower.send_signal(signal.SIGINT)
            assert follower.wait(10) == 130
        finally:
            follower.kill()
