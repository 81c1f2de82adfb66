"""Made-up machines: the same seed gives the same day, and a day has everything that an operator should see."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from fleetview_agent.backends import Notices
from fleetview_agent.backends.simulated import Callers, SimulatedModel
from fleetview_agent.errors import BackendFailed, ConfigError
from fleetview_agent.needs import LoadSettings
from fleetview_agent.planning.fit import need
from fleetview_agent.simulation import catalog, node
from fleetview_agent.simulation.copying import MadeUpIncoming
from fleetview_agent.simulation.engines import Engines
from fleetview_agent.simulation.fleet import MARK, simulate
from fleetview_agent.simulation.machines import DEMO, MachineSpec
from fleetview_agent.simulation.past import MadeUpHistory, Past
from fleetview_agent.simulation.sampler import SWELL_SECONDS, MadeUpSampler
from fleetview_agent.simulation.texts import answer
from fleetview_agent.wire import LoadOptions, Sample, Served

AFTERNOON = 50_400.0


def ignore(_share: float = 0) -> None:
    """For what a test does not ask about."""


def a_day(
    spec: MachineSpec, seed: str, seconds: int, served: Callable[[Served], None] = lambda _: None
) -> list[Sample]:
    """What is read of a machine once a second, by a clock of the test's."""
    now = [AFTERNOON]
    engines = Engines(spec, seed, lambda: now[0])
    backends = engines.build(Notices(ignore, served))
    sampler = MadeUpSampler(spec, seed, engines.doing, lambda: now[0], lambda: now[0])
    samples = []
    for _ in range(seconds):
        now[0] += 1
        rows = tuple(row for backend in backends for row in backend.traffic())
        samples.append(sampler.read().model_copy(update={"traffic": rows}))
    return samples


@pytest.mark.parametrize("spec", DEMO[:2], ids=lambda spec: spec.name)
def test_the_same_seed_gives_the_same_day_and_another_one_another(spec: MachineSpec) -> None:
    assert a_day(spec, "1", 120) == a_day(spec, "1", 120)
    assert a_day(spec, "1", 120) != a_day(spec, "2", 120)


def test_what_lies_before_the_beginning_follows_from_the_seed_too() -> None:
    past, again = (Past(DEMO[0], "1", AFTERNOON, 1.7e9) for _ in range(2))
    assert list(past.recent()) == list(again.recent())
    assert [line.text for line in past.lines()] == [line.text for line in again.lines()]


def test_the_gpu_is_busy_exactly_while_somebody_is_answered() -> None:
    samples = a_day(DEMO[0], "1", 300)
    busy = [sample.gpu_ratio or 0 for sample in samples if any(row.in_flight for row in sample.traffic)]
    idle = [sample.gpu_ratio or 0 for sample in samples if not any(row.in_flight for row in sample.traffic)]
    assert busy
    assert idle
    assert min(busy) > 0.7
    assert max(idle) < 0.1


def test_answers_of_other_clients_are_told_with_their_figures() -> None:
    served: list[Served] = []
    a_day(DEMO[0], "1", 600, served.append)
    assert {one.author for one in served} == {"open-webui", "ada@desk"}
    assert all(one.tokens_per_second and one.time_to_first_token_seconds for one in served)


def test_the_pressure_of_a_machine_that_swells_becomes_critical_and_falls_again() -> None:
    (spec,) = (spec for spec in DEMO if spec.swells)
    pressures = [sample.pressure for sample in a_day(spec, "1", int(SWELL_SECONDS) + 60)]
    changes = [now for before, now in zip([None, *pressures], pressures, strict=False) if now != before]
    assert {"normal", "warning", "critical"} == set(pressures)
    assert changes.count("critical") <= 2


def test_every_answer_is_complete_before_its_turn_is_over() -> None:
    callers = Callers("1", ("one", "two"), 20.0, 14.0, 0.9)
    ended = callers.ended(AFTERNOON, AFTERNOON + 1000)
    assert len(ended) > 10
    for asked in ended:
        halfway = (asked.began + asked.ended) / 2
        assert asked in callers.at(halfway)
        assert asked not in callers.at(asked.ended)
        assert asked in callers.ended(halfway, asked.ended)


@pytest.mark.parametrize(
    "model",
    [model for name, model in catalog.MODELS.items() if name not in catalog.EMBEDS],
    ids=lambda model: model.name,
)
def test_every_model_can_be_planned_with(model: SimulatedModel) -> None:
    header = model.header()
    assert header.refusal is None
    assert need(header, LoadSettings(8192)) is not None


async def test_the_damaged_file_fails_with_the_last_lines_of_its_engine() -> None:
    (spec,) = (spec for spec in DEMO if catalog.DAMAGED in spec.llamacpp)
    _, llamacpp = Engines(spec, "1", lambda: AFTERNOON).build(Notices(ignore))
    (failed,) = (await llamacpp.status()).resident
    assert failed.failure is not None
    assert "missing tensor" in failed.failure.log[0]
    assert failed.failure.exit_status == 1
    await llamacpp.stop()
    with pytest.raises(BackendFailed, match="is stopped"):
        await llamacpp.load(catalog.DAMAGED, LoadOptions(), ignore)


def test_only_a_model_that_reasons_thinks_before_it_answers() -> None:
    assert answer("deepseek-r1:70b", "why?").thinking
    plain = answer("llama3.3:70b", "why?")
    assert not plain.thinking
    assert "```" in "".join(answer("llama3.3:70b", str(number)).text for number in range(9))
    assert answer("llama3.3:70b", "why?") == plain


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("mine")
    with pytest.raises(ConfigError, match="holds something else"):
        simulate(tmp_path, (), "1", has_past=False)
    assert (tmp_path / "letter").read_text() == "mine"
    assert not (tmp_path / MARK).exists()


def test_a_link_to_a_folder_is_not_taken(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    link.symlink_to(real)
    with pytest.raises(ConfigError, match="is a link"):
        simulate(link, (), "1", has_past=False)
    assert list(real.iterdir()) == []


async def test_a_machine_that_drops_ends_its_connections_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "BEFORE_DROP_SECONDS", (1.0, 0.0))
    monkeypatch.setattr(node, "GONE_SECONDS", 0.2)
    (spec,) = (spec for spec in DEMO if spec.drops)
    clock = node.Clock(lambda: AFTERNOON, lambda: 1.7e9)
    with TemporaryDirectory(prefix="d", dir="/tmp") as folder:
        socket = Path(folder) / "one" / node.SOCKET
        life = asyncio.create_task(node.live(spec, socket.parent, "1", clock, has_past=False))
        async with asyncio.timeout(10):
            for _ in range(2):
                reader, writer = await connected(socket)
                assert b"snapshot" in await reader.readuntil(b'"snapshot"')
                await reader.read()  # until the connection ends
                writer.close()
                await writer.wait_closed()
                while socket.exists():
                    await asyncio.sleep(0.02)
        life.cancel()
        with pytest.raises(asyncio.CancelledError):
            await life
        assert not socket.exists()


async def connected(socket: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """The events of the machine at this socket, once there is one."""
    while True:
        try:
            reader, writer = await asyncio.open_unix_connection(socket)
        except OSError:
            await asyncio.sleep(0.02)
            continue
        writer.write(b"GET /api/events?interval=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return reader, writer


async def test_a_copy_between_made_up_machines_comes_by_itself_goes_on_where_it_was_and_can_be_loaded() -> None:
    giver, taker = (
        {one.name: one for one in Engines(spec, "1", lambda: AFTERNOON).build(Notices(ignore))}
        for spec in (DEMO[1], DEMO[3])
    )
    model = "deepseek-r1:70b"
    ((_, part),) = await giver["ollama"].parts(model)
    assert part is not None
    now = itertools.count(0.0, 20.0)
    incoming = MadeUpIncoming(Path("unused"), part.size_bytes / 50, lambda: next(now))
    for done in (0.4, 0.8):  # broken off, and begun again
        with incoming.expecting((part,)) as arrival:
            assert incoming.state(part.sha256).size_bytes == part.size_bytes  # nobody needs to send anything
            async with asyncio.timeout(5):
                await arrival.news()
            assert round(arrival.transfer().done_bytes / part.size_bytes, 2) == done
    await taker["ollama"].take_in(model, ((incoming.file(part), part),), await giver["ollama"].manifest(model))
    assert (await taker["ollama"].parts(model))[0][1] == part
    assert model in {file.name for file in (await taker["ollama"].status()).models}


async def test_whoever_asks_for_the_history_waits_until_all_of_it_is_made_up(tmp_path: Path) -> None:
    history = MadeUpHistory(tmp_path / "history.ring")
    past = Past(DEMO[0], "1", AFTERNOON, time.time())
    asked = asyncio.create_task(asyncio.to_thread(history.read, time.time() - 48 * 3600, 600))
    await past.fill(history)
    told = (await asked).figures["gpu_ratio"].mean
    assert len(told) >= 288
    assert None not in told[1:]
