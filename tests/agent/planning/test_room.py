"""How much room there is, by platform."""

from __future__ import annotations

from typing import Any

from fleetview_agent.planning.occupancy import Memory, Occupant, memory_of, occupants_of
from fleetview_agent.wire import ResidentModel
from tests.builders import GIB, a_backend_state, a_machine, a_model_file, a_resident, a_sample, a_snapshot

MODELS = (a_model_file("small", size_bytes=4 * GIB), a_model_file("large", size_bytes=30 * GIB))
SMALL = a_resident("small", memory_bytes=5 * GIB)
LARGE = a_resident("large", memory_bytes=32 * GIB)
MAC = {"gpu_memory_limit_bytes": 48 * GIB, "gpu_memory_used_bytes": 12 * GIB, "memory_available_bytes": 20 * GIB}


def a_memory(
    *resident: ResidentModel, unified: bool, on_gpu: bool = True, **sample: Any
) -> tuple[Memory, tuple[Occupant, ...]]:
    node = a_snapshot(
        machine=a_machine(memory_bytes=64 * GIB, unified_memory=unified),
        backends=(a_backend_state(models=MODELS, resident=resident),),
        samples=(a_sample(**{**MAC, "traffic": (), **sample}),),
    )
    occupants = occupants_of(node)
    return memory_of(node, occupants, on_gpu=on_gpu), occupants


def test_unified_memory_bounds_the_room_twice() -> None:
    memory, occupants = a_memory(SMALL, unified=True)
    assert memory.is_gpu
    assert memory.room(()) == 20 * GIB, "of the machine, although the GPU would have 36 G"
    assert memory.room(occupants) == 25 * GIB
    assert memory.evidence(()) == "48G GPU limit, 12G of it in use; 20G of the machine available"
    assert memory.evidence(occupants).endswith("; 5G would leave")
    wide, _ = a_memory(SMALL, unified=True, memory_available_bytes=60 * GIB)
    assert wide.room(()) == 36 * GIB, "of the GPU, although the machine would have 60 G"


def test_what_a_driver_let_go_of_is_free_on_neither_side() -> None:
    memory, occupants = a_memory(LARGE, unified=True, gpu_memory_used_bytes=2 * GIB, memory_available_bytes=50 * GIB)
    assert memory.room(()) == (48 - 32) * GIB
    assert memory.available_bytes == (50 - 30) * GIB
    assert memory.room(occupants) == 48 * GIB


def test_a_card_of_its_own_has_room_by_its_own_memory_alone() -> None:
    memory, occupants = a_memory(SMALL, unified=False)
    assert memory.room(()) == 36 * GIB
    assert memory.evidence(()) == "48G GPU limit, 12G of it in use"
    split = a_resident("large", memory_bytes=32 * GIB, gpu_memory_bytes=8 * GIB)
    memory, occupants = a_memory(split, unified=False)
    assert memory.room(occupants) == (48 - 12 + 8) * GIB, "only what it holds of the card"


def test_a_load_that_keeps_off_the_gpu_has_the_room_of_the_machine() -> None:
    split = a_resident("large", memory_bytes=32 * GIB, gpu_memory_bytes=30 * GIB)
    memory, occupants = a_memory(split, unified=False, on_gpu=False)
    assert not memory.is_gpu
    assert memory.room(()) == (20 - 2) * GIB, "the part of it that is mapped counts as available"
    assert memory.room(occupants) == 20 * GIB
    memory, occupants = a_memory(SMALL, unified=True, on_gpu=False)
    assert memory.room(()) == 20 * GIB
    assert memory.room(occupants) == 25 * GIB


def test_a_machine_without_a_gpu_tells_its_own_memory() -> None:
    memory, occupants = a_memory(SMALL, unified=False, gpu_memory_limit_bytes=None)
    assert memory.room(()) == (20 - 4) * GIB
    assert memory.evidence(occupants) == "16G of the machine's 64G available; 5G would leave"
    blind, _ = a_memory(SMALL, unified=False, gpu_memory_limit_bytes=None, memory_available_bytes=None)
    assert (blind.room(()), blind.evidence(())) == (None, None)
