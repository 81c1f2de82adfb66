# ruff: noqa: E501 - recorded lines are as long as they are
"""Lines as Ollama 0.33 wrote them, but for their times."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetview_agent.backends.ollama.log_file import MOST_BYTES, LogFile
from fleetview_agent.backends.ollama.log_lines import Answered, Logged, LogLines

A_REQUEST = """slot get_availabl: id  1 | task -1 | selected slot by LCP similarity, f_sim_best = 1.000 (> 0.100 thold), f_keep = 0.102
slot launch_slot_: id  1 | task 170 | processing task, is_child = 0
slot process_sing: id  0 | task -1 | saving idle slot to prompt cache
slot   operator(): id  1 | task 170 | new prompt, n_ctx_slot = 2048, n_keep = 4, task.n_tokens = 17
slot   operator(): id  1 | task 170 | need to evaluate at least 1 token for each active slot (n_past = 17, task.n_tokens() = 17)
slot   operator(): id  1 | task 170 | n_past was set to 16
slot   operator(): id  1 | task 170 | cached n_tokens = 16, memory_seq_rm [16, end)
slot init_sampler: id  1 | task 170 | init sampler, took 0.01 ms, tokens: text = 17, total = 17
slot print_timing: id  1 | task 170 | prompt eval time =     249.61 ms /     1 tokens (  249.61 ms per token,     4.01 tokens per second)
slot print_timing: id  1 | task 170 |        eval time =    1673.99 ms /    60 tokens (   28.37 ms per token,    35.25 tokens per second)
slot print_timing: id  1 | task 170 |       total time =    1923.60 ms /    61 tokens
slot print_timing: id  1 | task 170 |    graphs reused =        209
slot      release: id  1 | task 170 | stop processing: n_tokens = 76, truncated = 0
srv  update_slots: all slots are idle
[GIN] 2026/11/21 - 16:02:12 | 200 |  1.950587307s |       127.0.0.1 | POST     "/api/generate"
"""
A_LONG_PROMPT = """slot launch_slot_: id  0 | task 236 | processing task, is_child = 0
slot   operator(): id  0 | task 236 | new prompt, n_ctx_slot = 2048, n_keep = 4, task.n_tokens = 1510
slot   operator(): id  0 | task 236 | cached n_tokens = 0, memory_seq_rm [0, end)
slot print_timing: id  0 | task 236 | prompt processing, n_tokens =    512, progress = 0.34, t =  15.77 s / 32.47 tokens per second
slot   operator(): id  0 | task 236 | cached n_tokens = 512, memory_seq_rm [512, end)
"""
PREFIXED = "0.13.322.182 I slot      release: id  0 | task 0 | stop processing: n_tokens = 340, truncated = 0"


def test_the_lines_of_a_request_make_its_figures() -> None:
    ended, answered = LogLines().read(A_REQUEST.splitlines())
    assert ended == (Logged(1, 170, 17, 16, 1, 249.61 / 1000, 60, 1.67399, 76),)
    assert answered == (Answered(200, 1.950587307, "127.0.0.1", "/api/generate"),)


def test_a_request_may_come_in_pieces() -> None:
    log = LogLines()
    lines = A_REQUEST.splitlines()
    assert log.read(lines[:8]) == ((), ())
    assert log.prompt_tokens(1, 170) == 17
    ((ended,), _) = log.read(lines[8:])
    assert (ended.prompt_tokens, ended.completion_tokens) == (17, 60)
    assert log.prompt_tokens(1, 170) is None


def test_the_parts_of_a_long_prompt_are_not_cached_tokens() -> None:
    log = LogLines()
    log.read(A_LONG_PROMPT.splitlines())
    ((ended,), _) = log.read(["slot      release: id  0 | task 236 | stop processing: n_tokens = 900, truncated = 0"])
    assert (ended.prompt_tokens, ended.cached_tokens, ended.completion_tokens, ended.total_tokens) == (
        1510,
        0,
        None,
        900,
    )


def test_a_request_whose_beginning_was_missed_still_ends() -> None:
    ((ended,), _) = LogLines().read(A_REQUEST.splitlines()[9:])
    assert (ended.prompt_tokens, ended.completion_tokens, ended.completion_seconds) == (None, 60, 1.67399)


def test_lines_with_a_prefix_are_read_too() -> None:
    ((ended,), _) = LogLines().read([PREFIXED])
    assert (ended.task, ended.total_tokens) == (0, 340)


def test_requests_that_never_end_are_forgotten() -> None:
    log = LogLines()
    log.read(f"slot launch_slot_: id  0 | task {task} | processing task, is_child = 0" for task in range(3000))
    assert len(log._open) == 1024


@pytest.mark.parametrize(
    ("latency", "seconds"),
    [("1.177484025s", 1.177484025), ("214.36ms", 0.21436), ("45.2µs", 0.0000452), ("1m2s", 62.0), ("1h0m5s", 3605.0)],
)
def test_durations_are_those_of_go(latency: str, seconds: float) -> None:
    line = f'[GIN] 2026/11/21 - 16:02:03 | 503 |  {latency} |   192.168.1.20 | POST     "/v1/chat/completions"'
    (_, (answered,)) = LogLines().read([line])
    assert (answered.status, answered.client, answered.path) == (503, "192.168.1.20", "/v1/chat/completions")
    assert answered.seconds == pytest.approx(seconds)


@pytest.mark.parametrize(
    "line",
    ["", "slot", "slot x: id a | task 1 | y", "[GIN] | 200 |", '[GIN] x | 200 | soon | a | POST "/"', "\x00slot "],
)
def test_other_lines_are_passed_over(line: str) -> None:
    assert LogLines().read([line]) == ((), ())


def test_a_log_is_not_read_from_its_past(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    path.write_text("old\n")
    log = LogFile(path)
    assert log.new_lines() == ()
    assert not log.has_grown()
    with path.open("a") as file:
        file.write("new\nhalf a li")
    assert log.has_grown()
    assert log.new_lines() == ("new",)
    with path.open("a") as file:
        file.write("ne\n")
    assert log.new_lines() == ("half a line",)


def test_a_log_that_is_cut_off_or_replaced_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    path.write_text("a first line\n")
    log = LogFile(path)
    log.new_lines()
    path.write_text("cut\n")
    assert log.new_lines() == ("cut",)
    other = tmp_path / "other.log"
    other.write_text("replaced, and longer than before\n")
    other.replace(path)
    assert log.new_lines() == ("replaced, and longer than before",)


def test_what_is_too_far_behind_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    path.write_text("")
    log = LogFile(path)
    log.new_lines()
    path.write_text("x" * MOST_BYTES + "\nlast\n")
    assert log.new_lines()[-1] == "last"
    assert not log.has_grown()


def test_a_log_that_comes_back_is_not_read_from_its_past(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    path.write_text("old\n")
    log = LogFile(path)
    log.new_lines()
    path.unlink()
    with pytest.raises(FileNotFoundError):
        log.new_lines()
    path.write_text("as old as the others\n")
    assert log.new_lines() == ()
