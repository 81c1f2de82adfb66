"""Words about operations, engines and what they hold."""

from __future__ import annotations

from dataclasses import replace

from fleetview.fleet import Ended, NodeState
from fleetview.models.picking import choices
from fleetview.present.models import brief
from fleetview.present.node.engines import backends
from fleetview.present.node.residents import answered, residents
from fleetview.present.operations.dialogs import cancelling, deleting, unloading
from fleetview.present.operations.plan_rows import change_rows, plan_lines
from fleetview.present.operations.progress import done_ratio, in_hand, in_hand_in, over, time_left, transferred
from fleetview.present.text import Line, text_of, width_of
from fleetview.widgets.model_list import row_line
from fleetview_agent.wire import (
    CopyRequest,
    CreateRequest,
    DeleteRequest,
    KeepRequest,
    LoadOptions,
    ModelPart,
    Operation,
    PhaseTime,
    PinRequest,
    PullRequest,
    RestartRequest,
    StopRequest,
    Transfer,
)
from tests.builders import (
    AUTHOR,
    GIB,
    a_backend_state,
    a_machine,
    a_model_file,
    a_node,
    a_plan,
    a_resident,
    a_sample,
    a_served,
    a_traffic,
    an_operation,
)

AT = 1_700_000_000.0


def texts(lines: tuple[Line, ...]) -> str:
    return "\n".join(text_of(line) for line in lines)


def a_pull(**changes: object) -> Operation:
    """A pull that is an eighth of its way."""
    pull = PullRequest(author=AUTHOR, backend="ollama", model="gemma3:27b")
    transfer = Transfer(done_bytes=2 * GIB, total_bytes=16 * GIB, bytes_per_second=34 << 20, seconds_left=420.0)
    return an_operation(
        **{
            "request": pull,
            "phase": "pull",
            "phases": (PhaseTime(phase="pull"),),
            "progress": None,
            "evictions": (),
            "transfer": transfer,
            **changes,
        }
    )


def a_node_of(**changes: object) -> NodeState:
    """A node whose Ollama has one model in memory."""
    state = a_backend_state("ollama", **{"resident": (a_resident(),), **changes})
    return a_node(backends={"ollama": state}, backends_heard_at={"ollama": 100.0})


def test_a_transfer_is_told_in_bytes_with_its_speed_and_the_time_left() -> None:
    transfer = Transfer(done_bytes=2 * GIB, total_bytes=16 * GIB, bytes_per_second=34 << 20, seconds_left=420.0)
    assert transferred(transfer) == "2.0G of 16G, 34M/s, 7 min left"
    assert transferred(Transfer(done_bytes=0)) == "0"


def test_a_pull_says_how_far_it_is_without_saying_pull_twice() -> None:
    assert text_of(in_hand(a_pull())) == "pull ollama/gemma3:27b · 12% · 2.0G of 16G, 34M/s, 7 min left · by ada@desk"
    unknown = a_pull(transfer=Transfer(done_bytes=GIB))
    assert done_ratio(unknown) is None
    assert text_of(in_hand(unknown)) == "pull ollama/gemma3:27b · 1.0G · by ada@desk"
    assert width_of(in_hand_in(a_pull(), 40)) <= 40


def test_a_server_is_named_by_its_engine() -> None:
    stop = an_operation(request=StopRequest(author=AUTHOR, backend="ollama"), phase="stop", progress=None, evictions=())
    assert text_of(in_hand(stop)) == "stop ollama · by ada@desk"
    done = an_operation(request=stop.request, phase="ready", result="done", ended_at=AT + 2)
    assert text_of(over(Ended(done, 90.0), 100.0)) == "✓ ollama stopped · 2.0 s · 10 s ago · by ada@desk"


def test_a_time_to_stay_is_told_when_it_is_set() -> None:
    for keep, told in ((7200.0, "stays 2 h after its last answer"), ("forever", "stays for good")):
        request = KeepRequest(author=AUTHOR, backend="ollama", model="small", keep=keep)
        done = an_operation(request=request, phase="ready", result="done", ended_at=AT)
        assert f"✓ ollama/small {told} · " in text_of(over(Ended(done, 90.0), 100.0))
    request = KeepRequest(author=AUTHOR, backend="ollama", model="small")
    done = an_operation(request=request, phase="ready", result="done", ended_at=AT)
    assert "stays as long as ollama likes" in text_of(over(Ended(done, 90.0), 100.0))


def test_a_pull_stands_beside_the_models_and_a_swap_before_it() -> None:
    node = a_node(operations=(a_pull(),))
    assert text_of(brief.cell(node, 100.0, 40)) == "small · pull 12%"
    both = a_node(operations=(a_pull(), an_operation(id="op-2")))
    assert text_of(brief.cell(both, 100.0, 40)).split() == ["large", "load", "50%", "+1"]
    alone = a_node(backends={"ollama": a_backend_state("ollama", resident=())}, operations=(a_pull(),))
    assert text_of(brief.cell(alone, 100.0, 40)).split() == ["gemma3:27b", "pull", "12%"]


def test_a_pinned_model_carries_a_flag_and_an_orphan_a_warning() -> None:
    assert text_of(brief.cell(a_node_of(resident=(a_resident(pinned=True),)), 100.0, 40)) == "small ⚑"
    orphan = a_resident("small#4711", phase="orphaned", memory_bytes=3 * GIB)
    line = brief.cell(a_node_of(resident=(a_resident(), orphan)), 100.0, 40)
    assert text_of(line) == "small#4711 orphaned +1"
    assert (" orphaned", "warm") in line
    facts = brief.facts(a_node_of(), "ollama", orphan, 100.0, 80)
    assert text_of(facts) == "small#4711 Q4_K_M · keeps 3.0G · ollama · orphaned, x ends it"


def test_what_a_model_does_its_remark_and_who_was_answered_last_are_told() -> None:
    traffic = a_traffic(
        backend="ollama",
        in_flight=2,
        queued=1,
        prompt_progress=0.4,
        generation_tokens_per_second=14.2,
        source="llama-server's slots",
    )
    resident = a_resident(pinned=True, expires_in_seconds=240.0, gpu_memory_bytes=3 * GIB, remark="it was reloaded")
    node = a_node_of(resident=(resident,))
    served = a_served(author="python3 (pid 812)", inferred=True, cached_tokens=100)
    node = replace(node, samples=(a_sample(traffic=(traffic,)),), served=served)
    told = texts(residents(node, 100.0, 200))
    heading, row, *_ = (" ".join(line.split()) for line in told.splitlines())
    assert heading == "models in memory memory tok/s runs waits idle leaves first context prompt/s"
    assert row == "small 5.0G 14.2 2 1 busy 4 min 0.21 s 8k –"
    for words in (
        "ready · ⚑ pinned · Q4_K_M · ollama · 3.0G on the GPU · reading a prompt, 40% · pid 4711",
        "rates are read from llama-server's slots",
        "it was reloaded",
        "prompt 120, 100 cached · by python3 (pid 812)?, inferred",
    ):
        assert words in told
    assert all(width_of(line) <= 60 for line in residents(node, 100.0, 60))


def test_who_asked_is_not_doubted_where_it_is_known_and_left_out_where_it_is_not() -> None:
    assert text_of(answered(a_served())).endswith("prompt 120 · by ada@desk")
    nothing = a_served(author=None, prompt_tokens=None, completion_tokens=None, tokens_per_second=None)
    assert text_of(answered(nothing)) == "small · first 0.21 s"


def test_an_engine_tells_who_runs_it_where_and_what_to_do() -> None:
    state = {"version": "0.33.0", "supervisor": "systemd service ollama", "address": "127.0.0.1:11434"}
    told = texts(backends(a_node_of(**state), 120))
    assert "ollama  ready · 0.33.0 · run by systemd service ollama · 127.0.0.1:11434 · 2 models on disk" in told
    missing = {"phase": "missing", "version": None, "supervisor": None, "models": (), "hint": "install Ollama"}
    lines = backends(a_node_of(**missing), 120)
    assert texts(lines) == "engines\n  ollama  missing\n    install Ollama"
    assert not [tone for line in lines for _, tone in line if tone in {"hot", "warm"}]


def test_a_plan_tells_what_is_particular_to_its_verb() -> None:
    base = a_plan(evictions=("ollama/small",), memory_after_bytes=None)
    given = {"author": AUTHOR, "backend": "ollama", "model": "small"}
    keep, restart = KeepRequest(**given, keep=1800), RestartRequest(author=AUTHOR, backend="ollama")
    create = CreateRequest(**given, source="/srv/a.gguf")
    told = [change_rows(base.model_copy(update={"request": request}))[0] for request in (keep, restart, create)]
    assert told == [
        ("then it", "stays 30 min after its last answer"),
        ("reloads", "ollama/small"),
        ("from", "/srv/a.gguf"),
    ]


def test_a_plan_about_a_server_names_who_runs_it_and_every_command() -> None:
    plan = a_plan(
        request=StopRequest(author=AUTHOR, backend="ollama"),
        evictions=("ollama/small",),
        supervisor="launchd agent homebrew.mxcl.ollama (Homebrew)",
        commands=("brew services stop ollama", "true"),
        memory_after_bytes=36 * GIB,
    )
    assert change_rows(plan) == (
        ("run by", "launchd agent homebrew.mxcl.ollama (Homebrew)"),
        ("leaves", "ollama/small"),
        ("memory", "40G now, 36G after, of 144G"),
        ("runs", "brew services stop ollama"),
        ("", "true"),
    )
    refused = plan.model_copy(update={"refusal": "two servers run"})
    assert plan_lines(refused, 60)[-1] == (("two servers run", "hot"),)
    narrow = [text_of(line) for line in plan_lines(plan, 24)]
    assert "runs     brew services" in narrow
    assert "         stop ollama" in narrow
    silent = a_plan(request=plan.request, evictions=(), memory_after_bytes=None)
    assert "no command is run" in texts(plan_lines(silent, 60))


def test_dialogs_say_what_becomes_of_what_is_cut_short() -> None:
    assert "goes on from there" in cancelling(a_pull())[0]
    delete = DeleteRequest(author=AUTHOR, backend="ollama", model="small")
    assert "Nothing is deleted" in cancelling(an_operation(request=delete, evictions=()))[0]
    assert "back to where it was" in cancelling(an_operation())[0]
    orphan = a_resident("small#4711", phase="orphaned")
    assert "keeps 5.0G" in " ".join(unloading(a_node_of(), "ollama", orphan))


def test_deleting_names_the_other_engine_that_uses_the_file() -> None:
    file = a_model_file("qwen3:32b", identity="same")
    ollama, llamacpp = a_backend_state("ollama", models=(file,)), a_backend_state(models=(file,))
    node = a_node(backends={"ollama": ollama, "llamacpp": llamacpp})
    assert "The same file is also llamacpp/qwen3:32b." in deleting(node, ollama, file)
    assert len(deleting(a_node(backends={"ollama": ollama}), ollama, file)) == 2


def test_a_row_of_the_picker_says_that_it_is_in_memory_or_the_same_file() -> None:
    file = a_model_file("qwen3:32b", identity="same")
    ollama = a_backend_state("ollama", models=(file,), resident=(a_resident("qwen3:32b"),))
    llamacpp = a_backend_state(models=(file,), resident=())
    first, second = choices(a_node(backends={"ollama": ollama, "llamacpp": llamacpp}))
    assert "in memory" in text_of(row_line(first, None, 90))
    assert "ollama/qwen3:32b in memory " in text_of(row_line(first, None, 60))
    assert "here, same file" in text_of(row_line(second, None, 90))
    assert "llamacpp/qwen3:32b same file " in text_of(row_line(second, None, 62))
    assert "same file" not in text_of(row_line(second, None, 50))


def test_a_pin_that_was_set_is_told() -> None:
    request = PinRequest(author=AUTHOR, backend="ollama", model="small")
    done = an_operation(request=request, phase="ready", result="done", ended_at=AT)
    assert text_of(brief.cell(a_node(ended=(Ended(done, 99.0),)), 100.0, 40)) == "✓ small pinned 0.00 s"


def test_what_an_agent_does_by_itself_says_why_and_an_undo_what_it_takes_back() -> None:
    restored = an_operation(reason="it was resident when the agent ended", evictions=(), progress=None)
    told = text_of(in_hand(restored))
    assert told == "swap llamacpp/large · load · by ada@desk: it was resident when the agent ended"
    undone = an_operation(phase="ready", result="done", ended_at=AT + 2, undoes="op-0")
    told = text_of(over(Ended(undone, 90.0), 100.0))
    assert told == "✓ llamacpp/large swapped in · 2.0 s · 10 s ago · undoes op-0 · by ada@desk"


def test_a_load_of_what_was_there_says_so() -> None:
    phases = (PhaseTime(phase="plan", seconds=0.1), PhaseTime(phase="ready", seconds=0.0))
    done = an_operation(phase="ready", phases=phases, result="done", ended_at=AT)
    assert "llamacpp/large was in memory already" in text_of(over(Ended(done, 90.0), 100.0))


def test_a_copy_has_words_for_its_phases_and_its_end() -> None:
    part = ModelPart(sha256="0" * 64, size_bytes=3 * GIB, name="large.gguf")
    request = CopyRequest(author=AUTHOR, backend="llamacpp", model="large", source="studio", parts=(part, part))
    for phase, told in (("copy", "copy llamacpp/large"), ("verify", "copy llamacpp/large · verify")):
        hand = an_operation(request=request, phase=phase, progress=None, evictions=())
        assert text_of(in_hand(hand)) == f"{told} · by ada@desk"
    done = an_operation(request=request, phase="ready", result="done", ended_at=AT, evictions=())
    assert "llamacpp/large copied here" in text_of(over(Ended(done, 90.0), 100.0))
    assert dict(change_rows(a_plan(request=request, evictions=())))["from"] == "studio, 6.0G in 2 files"
    assert "goes on from there" in cancelling(an_operation(request=request, phase="copy"))[0]


def test_a_model_says_how_it_was_loaded() -> None:
    node = a_node_of(resident=(a_resident(options=LoadOptions(mmap=False, mlock=True, gpu_layers=0)),))
    assert "loaded with no layer on the GPU, mmap off, mlock on" in texts(residents(node, 100.0, 100))
    node = a_node_of(resident=(a_resident(options=LoadOptions(context=4096)),))
    assert "loaded with" not in texts(residents(node, 100.0, 100))


def test_a_machine_without_a_gpu_is_not_told_to_have_layers_on_it() -> None:
    node = a_node_of(resident=(a_resident(options=LoadOptions(mmap=False, gpu_layers=-1)),))
    assert "loaded with all layers on the GPU, mmap off" in texts(residents(node, 100.0, 100))
    without = replace(node, machine=a_machine(gpu=None))
    assert "loaded with mmap off" in texts(residents(without, 100.0, 100))


def test_the_rest_of_a_load_is_told_by_its_plan_else_by_its_speed_and_never_without_either() -> None:
    phases = (PhaseTime(phase="plan", seconds=0.1), PhaseTime(phase="load", began_at=AT))
    load = an_operation(phases=phases, expected_seconds=12.0, progress=0.5)
    assert time_left(load, AT + 3) == "about 9 s left"
    assert time_left(load, AT + 30) == "longer than expected"
    unplanned = load.model_copy(update={"expected_seconds": None})
    assert time_left(unplanned, AT + 8) == "about 8 s left"
    for unknown in (
        time_left(unplanned.model_copy(update={"progress": 0.01}), AT + 8),
        time_left(load, None),
        time_left(load.model_copy(update={"phases": (PhaseTime(phase="load"),)}), AT + 8),
        time_left(load.model_copy(update={"phase": "drain"}), AT + 8),
    ):
        assert unknown == ""
