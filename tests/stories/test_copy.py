"""A model copied from one machine to another: broken off, gone on with, and never taken in damaged."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Iterator

import pytest

from tests.sshd import needs_sshd
from tests.stories.conftest import SHORT, needs_engine, until
from tests.stories.copies import SLOW, Pair, a_pair, of_llamacpp, of_ollama
from tests.stories.machines import ended
from tests.stories.ollamas import REAL, STAND_IN

pytestmark = needs_sshd


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with a_pair(STAND_IN) as pair:
        yield pair


def test_a_killed_copy_of_an_ollama_model_goes_on_where_it_was(pair: Pair) -> None:
    copy = of_ollama(pair)
    killed = copy.begun()
    killed.send_signal(signal.SIGKILL)
    ended(killed)
    until(lambda: pair.last["request"].get("model") == copy.model, "the end of the copy", 20)
    assert (pair.last["result"], "copy it again" in pair.last["cause"]) == ("interrupted", True)
    came, inode = copy.came_bytes, copy.partial.stat().st_ino
    assert copy.size_bytes // 4 < came < copy.size_bytes

    before = pair.meter.brought_bytes
    status, output, errors = ended(copy.start("--json"))
    assert status == 0, errors
    (row,) = json.loads(output)
    assert (row["node"], row["operation"]["result"], row["error"]) == ("there", "done", None)
    rest = copy.size_bytes - came
    assert rest < pair.meter.brought_bytes - before < rest + 200_000  # beside ssh's own, and the small files
    assert copy.arrived.stat().st_ino == inode
    copy.assert_arrived()
    assert pair.desk.json("load", "there", copy.name, "--ctx", SHORT)["result"] == "done"


@needs_engine
def test_a_copy_of_a_gguf_file_outlives_an_interrupt_and_a_cut_connection(pair: Pair) -> None:
    copy = of_llamacpp(pair)
    interrupted = copy.begun()
    interrupted.send_signal(signal.SIGINT)
    status, _, errors = ended(interrupted)
    assert (status, "the same command goes on where it was" in errors) == (130, True)
    assert (pair.last["result"], pair.last["cause"][:9]) == ("rolled_back", "cancelled")

    came = copy.came_bytes
    copying = copy.start(*SLOW)
    until(lambda: copy.came_bytes > came, "more of the file", 30)
    pair.there.sshd.drop_sessions()
    status, output, errors = ended(copying)
    assert (status, "has come to there" in output) == (0, True), errors
    assert "broken off, trying again" in errors
    copy.assert_arrived()
    assert pair.last["inverse"] == {**pair.last["inverse"], "verb": "delete", "model": copy.model}


def test_a_flipped_byte_is_noticed_and_the_file_is_not_kept(pair: Pair) -> None:
    copy = of_ollama(pair)
    interrupted = copy.begun()
    interrupted.send_signal(signal.SIGINT)
    ended(interrupted)
    with copy.partial.open("r+b") as file:
        first = file.read(1)
        file.seek(0)
        file.write(bytes([first[0] ^ 1]))
    status, _, errors = ended(copy.start())
    assert (status, "came damaged" in errors, copy.digest in errors) == (1, True, True)
    assert not copy.partial.exists()
    assert not copy.arrived.exists()
    assert pair.stores[1].manifest(copy.model) is None


@pytest.mark.skipif(shutil.which("ollama") is None, reason="needs `ollama` on PATH")
def test_a_real_ollama_loads_what_another_one_had() -> None:
    with a_pair(REAL) as pair:
        copy = of_ollama(pair)
        status, _, errors = ended(copy.start())
        assert status == 0, errors
        assert pair.desk.json("load", "there", copy.name, "--ctx", SHORT)["result"] == "done"
        assert pair.there.resident == [copy.model]
