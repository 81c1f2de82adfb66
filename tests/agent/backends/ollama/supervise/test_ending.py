"""How processes end."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from fleetview_agent.backends.ollama.supervise.ending import last_status, running
from tests.agent.backends.ollama.supervise.machine import until

_MANY_THREADS = """
import threading, time
memory = bytearray(200 << 20)
memory[:: 4096] = b"x" * len(memory[:: 4096])
for _ in range(8):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
print(flush=True)
time.sleep(60)
"""
"""Much to give back, so that the first thread has ended for some time before the last one."""


@pytest.fixture
def busy() -> Iterator[psutil.Process]:
    """A child of ours with many threads."""
    with subprocess.Popen([sys.executable, "-c", _MANY_THREADS], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield psutil.Process(process.pid)
        process.kill()


async def test_the_signal_that_ended_a_process_of_many_threads_is_known(busy: psutil.Process) -> None:
    created_at = busy.create_time()
    busy.send_signal(signal.SIGKILL)
    await until(lambda: not running(busy.pid, created_at))
    assert await last_status(busy.pid) == -signal.SIGKILL


async def test_a_process_that_is_not_ours_has_no_status_and_is_not_waited_for() -> None:
    assert await last_status(1) is None
