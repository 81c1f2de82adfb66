from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fleetview_agent.log_forms import level_of, time_of

SLOG = 'time=2025-06-01T12:00:00.250+02:00 level=WARN source=runner.go:89 msg="truncating input" error="none"'


@pytest.mark.parametrize(
    ("text", "level"),
    [
        (SLOG, "warning"),
        ("time=2025-06-01T12:00:00.250+02:00 level=INFO source=server.go:1 msg=x error: none", "info"),
        ("time=2025-06-01T12:00:00Z level=ERROR source=sched.go:1 msg=x", "error"),
        ("time=2025-06-01T12:00:00Z level=DEBUG source=sched.go:1 msg=x", "debug"),
        ('[GIN] 2025/06/01 - 12:00:00 | 200 |     1.2ms | 127.0.0.1 | GET      "/api/tags"', "info"),
        ('[GIN] 2025/06/01 - 12:00:00 | 404 |     1.2ms | 127.0.0.1 | POST     "/api/show"', "warning"),
        ('[GIN] 2025/06/01 - 12:00:00 | 500 |     1.2ms | 127.0.0.1 | POST     "/api/chat"', "error"),
        ("0.00.035.060 W srv    load_model: speculative decoding is off", "warning"),
        ("E llama_model_load: nothing", "error"),
        ("llama_model_load: error loading model: unknown model architecture: 'shiny'", "error"),
        ("llama_model_load_from_file_impl: failed to load model", "error"),
        ("ggml_metal_graph_compute: error: Insufficient Memory (00000008)", "error"),
        ("GGML_ASSERT(n_tokens <= n_batch) failed", "error"),
        ("load: warning: special tokens are not the same", "warning"),
        ("llama_model_loader: - kv   0: general.architecture str = llama", None),
        ("print_info: n_ctx_train = 8192", None),
        ("Everything is well, with error bars", None),
    ],
)
def test_a_line_is_as_serious_as_it_says(text: str, level: str | None) -> None:
    assert level_of(text) == level


def test_a_line_of_ollama_says_when_it_was_written() -> None:
    assert time_of(SLOG) == datetime(2025, 6, 1, 10, 0, 0, 250_000, tzinfo=UTC).timestamp()


def test_a_line_of_its_web_server_is_of_this_machines_time() -> None:
    there = datetime(2025, 6, 1, 12).astimezone()
    assert time_of("[GIN] 2025/06/01 - 12:00:00 | 200 | 1ms | ::1 | GET") == there.timestamp()


@pytest.mark.parametrize(
    "text", ["slot release", "time=yesterday-or-so-it-seems level=INFO", "time=2025-99-99T99:99:99Z x"]
)
def test_no_time_is_made_up(text: str) -> None:
    assert time_of(text) is None
