"""Benchmarks: what is measured, what is kept, and what is said of it."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from fleetview.bench.book import Book
from fleetview.bench.errors import BenchError
from fleetview.bench.prompts import prompt_of, rescaled
from fleetview.bench.results import Result, Spread, spread, spread_of
from fleetview.cli.bench.words import block
from fleetview.measuring import runs
from fleetview.measuring.meter import Meter
from fleetview.measuring.runs import last_load
from fleetview_agent.wire import PhaseTime
from tests.builders import a_sample, a_traffic, an_operation
from tests.tui.cli.conftest import Fleetview

SMALL = "simulated/sim-small"
QUICK = ("--pp", "64", "--tg", "16", "--runs", "2")


def a_result(**changes: object) -> Result:
    """A model that reads at 800 and writes at 40 tokens a second."""
    values = {
        "at": 1_700_000_000.0,
        "node": "studio",
        "model": "ollama/qwen3:32b",
        "pp": 512,
        "tg": 128,
        "runs": 5,
        "prompt_tokens": Spread(mean=512, deviation=0.0),
        "generated_tokens": Spread(mean=128, deviation=0.0),
        "prompt_tokens_per_second": Spread(mean=800, deviation=4.0),
        "tokens_per_second": Spread(mean=40, deviation=0.5),
        "time_to_first_token_seconds": Spread(mean=0.65, deviation=0.01),
        "load_seconds": 11.0,
        "others_in_flight": 0,
    }
    return Result.model_validate({**values, **changes})


def test_a_model_in_memory_is_measured_kept_and_compared_with_the_last_time(
    fleetview: Fleetview, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "IDLE_SECONDS", 0.8)
    fleetview("load", "here", SMALL, "--ctx", "2048")
    (first,) = fleetview("bench", "here", *QUICK, "--json").json
    assert (first["node"], first["model"], first["runs"], first["before"]) == ("here", SMALL, 2, None)
    assert first["prompt_tokens"]["mean"] == pytest.approx(64, abs=3)
    assert first["generated_tokens"] == {"mean": 16.0, "deviation": 0.0}
    assert 50 < first["tokens_per_second"]["mean"] < 550
    assert first["load_seconds"] >= 0.3
    assert first["joules_per_token"]["mean"] > first["net_joules_per_token"]["mean"]
    again = fleetview("bench", "here", *QUICK)
    assert f"{SMALL} on here\n  reads        " in again.out
    assert "%)" in again.out
    assert "compared     with " in again.out
    assert "run 2 of 2" in again.err
    assert len(fleetview("bench", "here", "--history", "--json").json) == 2
    assert fleetview("bench", "here", "--history").out.count(SMALL) == 2
    file = home / ".local" / "state" / "fleetview" / "bench.sqlite"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_cannot_be_measured_is_said_with_what_could(fleetview: Fleetview) -> None:
    none = fleetview("bench", "here")
    assert (none.status, none.out) == (4, "")
    assert "no model is ready on here; `fleetview load here MODEL` loads one" in none.err
    fleetview("load", "here", SMALL, "--ctx", "512")
    absent = fleetview("bench", "here", "--model", "sim-large")
    assert absent.status == 2
    assert f"simulated/sim-large is not in memory on here; in memory there: {SMALL}" in absent.err
    long = fleetview("bench", "here", "--pp", "500")
    assert long.status == 2
    assert "has a context of 512 tokens, and 500 + 128 need 651" in long.err
    away = fleetview("bench", "gone")
    assert away.status == 3
    assert "no agent answers on gone" in away.err


def test_prompts_are_as_long_as_they_should_be_and_never_the_same() -> None:
    assert len(prompt_of(300).split()) == 300
    assert len({prompt_of(4) for _ in range(50)}) > 45
    assert rescaled(64, 65, 512) == 504
    assert rescaled(100, 150, 300) == 200
    assert rescaled(1, 90, 16) == 1


def test_power_is_measured_over_the_time_in_question_alone() -> None:
    meter = Meter("ollama", "m", 1.0)
    for second, power in enumerate((10.0, 30.0, 50.0), start=1):
        meter.add(a_sample(power_watts=power, interval_seconds=1.0), float(second))
    assert meter.watts(0.0, 1.0) == pytest.approx(10.0)
    assert meter.watts(0.5, 2.5) == pytest.approx((5 + 30 + 25) / 2)
    assert meter.watts(1.0, 3.2) == pytest.approx(40.0)
    assert meter.watts(1.0, 6.0) is None
    meter.add(a_sample(power_watts=None, interval_seconds=1.0), 4.0)
    assert meter.watts(3.0, 4.0) is None


def test_what_others_ask_meanwhile_is_told_without_our_own_request() -> None:
    meter = Meter("ollama", "m", 1.0)
    assert meter.others(0.0, 9.0) is None
    ours = a_traffic(backend="ollama", model="m", in_flight=1, queued=2)
    theirs = a_traffic(backend="llamacpp", model="m", in_flight=1)
    meter.add(a_sample(traffic=(ours,)), 1.0)
    meter.add(a_sample(traffic=(ours, theirs)), 2.0)
    assert (meter.others(0.0, 1.0), meter.others(0.0, 2.0), meter.others(4.0, 5.0)) == (2, 3, None)


def test_the_load_is_that_of_the_newest_one_that_went_well() -> None:
    phases = (PhaseTime(phase="drain", seconds=9.0), PhaseTime(phase="load", seconds=3.5))
    lost = an_operation(result="rolled_back", phases=(PhaseTime(phase="load", seconds=1.0),))
    assert last_load((lost, an_operation(result="done", phases=phases)), "llamacpp", "large") == 3.5
    assert last_load((lost,), "llamacpp", "large") is None
    assert last_load((an_operation(result="done", phases=phases),), "ollama", "large") is None


def test_mean_and_deviation_need_every_value() -> None:
    assert spread_of((1.0, 2.0, 3.0)) == Spread(mean=2.0, deviation=1.0)
    assert spread((4.0,)) == Spread(mean=4.0)
    assert (spread((1.0, None)), spread(())) == (None, None)


def test_a_result_says_how_much_of_the_ceiling_was_reached_and_what_is_odd() -> None:
    result = a_result(
        ceiling_tokens_per_second=50.0,
        joules_per_token=Spread(mean=2.5, deviation=0.2),
        net_joules_per_token=Spread(mean=2.0),
        idle_watts=20.0,
        generated_tokens=Spread(mean=90, deviation=4.2),
        others_in_flight=1,
    )
    before = a_result(tokens_per_second=Spread(mean=32))
    lines = dict(line.strip().split("  ", 1) for line in block(result, before).splitlines()[1:])
    told = {label: words.strip() for label, words in lines.items()}
    assert told["reads"] == "800.0 ± 4.0 tok/s (+0.0%), prompts of 512 tokens"
    assert told["writes"] == (
        "40.0 ± 0.5 tok/s (+25.0%), answers of 90 ± 4 tokens, as the model ended before the 128 that were asked for"
    )
    assert told["first token"] == "650 ± 10 ms"
    assert told["load"] == "11 s, the last time"
    assert told["energy"] == "2.5 J ± 0.20 J for a token, 2.0 J above the 20 W at rest"
    assert told["ceiling"].endswith("of which 80% was reached")
    assert told["others"].startswith("up to 1 request of others")


def test_what_is_not_known_is_a_dash() -> None:
    result = a_result(load_seconds=None, others_in_flight=None, time_to_first_token_seconds=None)
    lines = [line.split() for line in block(result, None).splitlines()[1:]]
    dashes = {" ".join(words[:-1]) for words in lines if words[-1] == "–"}
    assert dashes == {"first token", "load", "energy", "ceiling", "others"}


def test_only_the_same_node_model_and_lengths_are_compared(tmp_path: Path) -> None:
    book = Book(tmp_path / "deep" / "bench.sqlite")
    assert book.results() == ()
    first = a_result()
    assert book.keep(first) is None
    for other in (a_result(node="laptop"), a_result(model="ollama/gemma3"), a_result(pp=64), a_result(tg=64)):
        assert book.keep(other) is None
    assert book.keep(a_result(at=1_700_000_100.0)) == first
    assert len(book.results()) == 6
    assert book.results()[0].at == 1_700_000_100.0


def test_results_of_another_version_are_skipped_and_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    file = tmp_path / "bench.sqlite"
    book = Book(file)
    book.keep(a_result())
    with sqlite3.connect(file) as database:
        database.execute("UPDATE results SET json = '{}'")
    database.close()
    assert book.results() == ()
    file.write_bytes(b"no database at all, and longer than its header would have to be" * 40)
    with pytest.raises(BenchError, match="the results cannot be kept there: file is not a database; move the file"):
        book.keep(a_result())
