"""A driver that says anything: the sampler never raises, and never tells what cannot be."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from fleetview_agent.samplers.linux.nvidia import nvidia_probe
from fleetview_agent.samplers.probing import ProbedSampler, Watch
from fleetview_agent.wire import Sample
from tests.agent.samplers.mutations import NO_FIGURES, WILD_NUMBERS, assert_sane, figures, fuzz
from tests.builders import a_machine
from tests.nvml.machine import MEMORY_BYTES, PLAIN, Clock
from tests.nvml.standin import NvmlStandIn

NO_SOURCE = dict.fromkeys(Sample.model_fields.keys() - NO_FIGURES, "nothing else is read in this test")
NAMES = ("NVIDIA H100 80GB HBM3", "NVIDIA GB10", "NVIDIA Thor", "\xff\xfe", "")
GPU = {**PLAIN, "name": NAMES[0], "cores": 16896, "megahertz": 1980, "rpm": 1500, "divided": 0, "slots": 0}
WHOLE = {"gpu0": GPU, "gpu1": GPU, "gpu0.instance0": {"total": 9 << 30, "used": 1 << 30, "name": "1g.10gb"}}
ERRORS = st.integers(-1, 30).map(lambda status: f"!{status}") | st.just("!999")


def test_no_answer_of_a_driver_does_harm(nvml: NvmlStandIn, root: Path) -> None:
    def serve() -> None:
        nvml.set(gpus=2, driver=None)
        for place, told in WHOLE.items():
            nvml.set(place, problem=None, compute=None, graphics=None, **told)

    @fuzz(100)
    @given(data=st.data())
    def no_answer_does_harm(data: st.DataObject) -> None:
        changes = [data.draw(a_change()) for _ in range(data.draw(st.integers(1, 3)))]
        driver = data.draw(st.sampled_from(({}, {}, {"driver": 999}, {"driver": 9}, {"gpus": 2**32 - 1})))
        serve()
        clock = Clock()
        found = nvidia_probe(MEMORY_BYTES, root)
        assert found is not None
        sampler = ProbedSampler(a_machine(memory_bytes=MEMORY_BYTES), found[:1], NO_SOURCE, Watch(clock, clock))
        whole = figures(sampler.read())
        assert whole >= {"gpu_ratio", "gpu_memory_used_bytes", "gpu_memory_limit_bytes", "power_watts", "fans_rpm"}
        for place, told in changes:
            nvml.set(place, **told)
        nvml.set(**driver)
        for _ in range(3):
            clock.seconds += 61
            assert_sane(sampler, sampler.read())
        serve()
        clock.seconds += 61
        sampler.close()  # whatever it holds of the mad one
        assert figures(sampler.read()) == whole
        sampler.close()

    no_answer_does_harm()


@st.composite
def a_change(draw: st.DrawFn) -> tuple[str, dict[str, int | str]]:
    """One thing that a driver tells otherwise."""
    place, told = draw(st.sampled_from(tuple(WHOLE.items())))
    figure = draw(st.sampled_from(sorted(told)))
    return place, {figure: draw(st.sampled_from(NAMES) if figure == "name" else WILD_NUMBERS | ERRORS)}
