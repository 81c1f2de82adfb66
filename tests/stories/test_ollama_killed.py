"""`ollama serve` killed in the midst of its work: nothing is left behind, and what should run is back."""

from __future__ import annotations

import signal
import threading
from contextlib import suppress

import ollama as official

from tests.stories.conftest import SHORT, needs_engine, until
from tests.stories.ollamas import MODEL, NAME, OllamaHome, a_home_with_ollama, both_ollamas

pytestmark = needs_engine


@both_ollamas
def test_our_server_is_started_again_with_its_models_and_without_the_runner_that_it_left(ollama: str) -> None:
    with a_home_with_ollama(ollama) as home:
        home.made()
        home.do("load", "here", MODEL, "--ctx", SHORT)
        (server,), (orphan,) = home.servers(), home.runners()
        under_load(home)
        until(lambda: orphan.cpu_percent(0.1) > 20, "load")
        server.send_signal(signal.SIGKILL)

        until(lambda: home.ready == [MODEL], "the model to be back", 30)
        assert not orphan.is_running()
        assert [len(home.servers()), len(home.runners())] == [1, 1]
        assert home.servers()[0].pid != server.pid
        load, start, *_ = home.journal
        assert (load["request"]["verb"], start["request"]["verb"]) == ("load", "start")
        assert "fleetview-agent" in start["request"]["author"]
        assert any(str(orphan.pid) in target for target in start["evictions"])


def under_load(home: OllamaHome) -> None:
    """Let a client ask for a long answer, whatever becomes of it."""

    def ask() -> None:
        with suppress(Exception):  # it is cut
            client = official.Client(host=f"http://127.0.0.1:{home.port}")
            client.generate(NAME, "Tell a long story.", options={"num_predict": 400, "num_ctx": int(SHORT)})

    threading.Thread(target=ask, daemon=True).start()
