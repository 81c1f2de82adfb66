"""A fleet without a network: links that tests speak through, and a fleet with something of everything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from textual._context import visible_screen_stack
from textual.pilot import Pilot

from fleetview.app import FleetApp
from fleetview.config import NodeConfig, config_of
from fleetview.fleet import Change, LinkDown, LinkUp
from fleetview.links import LinkLike
from fleetview.watching import FleetFile
from fleetview_agent.wire import (
    OperationChanged,
    PhaseTime,
    PullRequest,
    Sample,
    Transfer,
)
from tests.builders import (
    AUTHOR,
    GIB,
    a_backend_state,
    a_machine,
    a_model_file,
    a_resident,
    a_sample,
    a_served,
    a_snapshot,
    a_swap_request,
    a_traffic,
    an_operation,
)
from tests.tui.fake_link import AT, FakeLink

NOW = 100.0


class FakeFleet:
    """An app over fake links; the clock stands still unless a test moves it."""

    def __init__(self, first: dict[str, tuple[Change, ...]], **fleet_file: object) -> None:
        self.now = NOW
        self.links: dict[str, FakeLink] = {}
        self._first = first
        nodes = [{"name": name, **_address(name)} for name in first]
        self.config = config_of({"fleet": {"name": "studio"}, "node": nodes, **fleet_file})

    def app(self, *, readonly: bool = False, fleet_file: FleetFile | None = None) -> FleetApp:
        return FleetApp(
            self.config,
            self._open,
            author=AUTHOR,
            clock=lambda: self.now,
            readonly=readonly,
            fleet_file=fleet_file,
        )

    def _open(self, node: NodeConfig, interval: float, receive: Callable[[str, Change], None]) -> LinkLike:
        first = self._first.get(node.name, (a_snapshot(),))
        link = self.links[node.name] = FakeLink(node, receive, first, interval)
        return link


def _address(name: str) -> dict[str, object]:
    return {"local": True} if name == "here" else {"host": name}


def fleet_toml(*names: str) -> str:
    """A fleet file with these nodes, each on a host named like it."""
    return "\n".join(f'[[node]]\nname = "{name}"\nhost = "{name}.lan"' for name in names) + "\n"


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    """Wait for a condition, so long that only what never comes true fails, however busy the machine is."""
    async with asyncio.timeout(15):
        while not holds():
            await pilot.pause(0.02)


async def settled(pilot: Pilot[None]) -> None:
    """Wait until every node was heard of, and take away what was told meanwhile."""
    app = pilot.app
    assert isinstance(app, FleetApp)
    await until(pilot, lambda: all(node.machine is not None or node.link == "down" for node in app.fleet.values()))
    await pilot.pause(0.1)
    app.clear_notifications()
    await pilot.pause()


def screen_text(app: FleetApp) -> str:
    """What stands on the screen, line by line."""
    width, height = app.size
    # As the app does before it draws: a dialog that is drawn here first would stay without what it covers.
    visible_screen_stack.set(app._background_screens)
    strips = app.screen._compositor.render_strips(app.screen.size)
    return "\n".join(strip.text.rstrip()[:width] for strip in strips[:height])


def history(**changes: object) -> tuple[Change, ...]:
    """Two minutes of samples whose load goes up and down."""
    loads = (0.2, 0.3, 0.5, 0.8, 0.9, 0.6)
    return tuple(a_sample(at=AT + second, gpu_ratio=loads[second // 4 % 6], **changes) for second in range(120))


def six_nodes() -> FakeFleet:
    """Busy, idle, loading, pressed, failed and lost."""
    giant = a_machine(chip="Apple M3 Ultra", gpu_cores=80, memory_bytes=512 * GIB, system="macOS 26.1")
    laptop = a_machine(chip="Apple M4 Max", gpu_cores=40, memory_bytes=128 * GIB)
    talking = (a_traffic(backend="ollama", model="llama3.3:70b", in_flight=1, generation_tokens_per_second=14.2),)
    chatty = a_backend_state("ollama", version="0.33.0", resident=(a_resident("llama3.3:70b", pinned=True),))
    pressed = (a_traffic(model="small", in_flight=1, queued=3, generation_tokens_per_second=2.5),)
    swap = a_swap_request("qwen3:32b")
    rolled_back = an_operation(
        phase="ready", result="rolled_back", cause="the engine ran out of memory", ended_at=AT + 9
    )
    return FakeFleet(
        {
            "head-primary": (
                LinkUp(),
                a_snapshot(machine=giant, backends=(chatty,), samples=history(traffic=talking)),
                a_served(time_to_first_token_seconds=0.41),
            ),
            "head-secondary": (
                LinkUp(),
                a_snapshot(machine=giant, backends=(a_backend_state(resident=()),), samples=history(traffic=())),
                OperationChanged(operation=rolled_back),
            ),
            "worker-primary": (
                LinkUp(),
                a_snapshot(
                    samples=history(pressure="warning"), operations=(an_operation(request=swap, progress=0.62),)
                ),
            ),
            "worker-secondary": (
                LinkUp(),
                a_snapshot(backends=(a_backend_state(resident=(a_resident(phase="failed"), a_resident("b"))),)),
            ),
            "laptop-primary": (
                LinkUp(),
                a_snapshot(machine=laptop, samples=history(pressure="critical", traffic=pressed, power_watts=None)),
            ),
            "laptop-secondary": (LinkDown("no route to host", 12.0),),
        }
    )


def this_machine() -> FakeFleet:
    """One Linux machine without a GPU."""
    machine = a_machine(
        **dict.fromkeys(("gpu", "gpu_cores", "model")),
        platform="linux",
        system="Debian GNU/Linux 12",
        chip="Intel(R) Xeon(R)",
        cpu_cores=2,
        cpu_core_kinds={},
        hostname="box",
        virtual=True,
        sources={"cpu_ratio": "/proc/stat", **dict.fromkeys(("memory_used_bytes", "swap_used_bytes"), "/proc/meminfo")},
    )
    gpu = {name for name in Sample.model_fields if name.startswith("gpu_")} - {"gpu_memory_limit_inferred"}
    none = dict.fromkeys((*gpu, "power_watts", "power_covers", "thermal_state", "fans_rpm"))
    reasons = {
        **dict.fromkeys(none, "no GPU that can be read was found"),
        "power_watts": "no meter that can be read was found",
        "thermal_state": "only macOS tells how much a machine holds back because of heat",
        "fans_rpm": "no fan that can be read was found",
    }
    changes = {**none, "reasons": reasons}
    samples = tuple(a_sample(**{**dict(one), **changes, "cpu_ratio": one.gpu_ratio}) for one in history())
    return FakeFleet({"here": (LinkUp(), a_snapshot(machine=machine, samples=samples))})


def an_ollama() -> FakeFleet:
    """A node whose Ollama answers others, keeps an orphan and pulls, and whose llama.cpp knows one of its files."""
    abilities = ("start", "stop", "restart", "pin", "unpin", "keep", "pull", "create", "delete")
    shared = a_model_file("qwen3:32b", size_bytes=19 * GIB, identity="same")
    reloaded = "another client's request reloaded it with a context of 4096 tokens instead of 8192"
    ollama = a_backend_state(
        "ollama",
        version="0.33.0",
        supervisor="launchd agent homebrew.mxcl.ollama (Homebrew)",
        address="127.0.0.1:11434",
        abilities=abilities,
        models=(shared, a_model_file("gemma3:27b", size_bytes=16 * GIB)),
        resident=(
            a_resident("qwen3:32b", memory_bytes=21 * GIB, pinned=True, idle_seconds=None, remark=reloaded),
            a_resident("llama3:8b#4711", phase="orphaned", remark="its server ended without it"),
        ),
    )
    llamacpp = a_backend_state(models=(shared,), resident=(), abilities=("pin", "unpin", "start", "stop", "restart"))
    pull = an_operation(
        request=PullRequest(author=AUTHOR, backend="ollama", model="phi4:14b"),
        phase="pull",
        phases=(PhaseTime(phase="pull"),),
        progress=None,
        evictions=(),
        transfer=Transfer(
            done_bytes=2 * GIB,
            total_bytes=9 * GIB,
            bytes_per_second=34 << 20,
            seconds_left=210.0,
            step="pulling 6a0746a1ec1a",
        ),
    )
    talking = a_traffic(
        backend="ollama",
        model="qwen3:32b",
        in_flight=2,
        prompt_progress=0.4,
        generation_tokens_per_second=14.2,
        source="llama-server's slots",
    )
    served = a_served(backend="ollama", model="qwen3:32b", author="python3 (pid 812)", inferred=True, cached_tokens=100)
    snapshot = a_snapshot(backends=(ollama, llamacpp), samples=history(traffic=(talking,)), operations=(pull,))
    missing = a_backend_state(
        "ollama", phase="missing", version=None, supervisor=None, models=(), resident=(), hint="install Ollama"
    )
    calm = a_snapshot(backends=(missing, a_backend_state()))
    return FakeFleet({"studio": (LinkUp(), snapshot, served), "laptop": (LinkUp(), calm)})
