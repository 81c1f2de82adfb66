"""A mistake of ours: a sentence for people, the trace for the log."""

from __future__ import annotations

import pytest

from tests.tui.fake_fleet import this_machine


async def test_a_mistake_of_ours_is_told_in_a_sentence_and_its_trace_goes_to_the_log(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    app = this_machine().app()

    async def broken() -> None:
        async with app.run_test() as pilot:
            app.call_later(lambda: 1 // 0)
            await pilot.pause()

    with pytest.raises(ZeroDivisionError):
        await broken()
    (record,) = (one for one in caplog.records if one.name == "fleetview.themed_app")
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ZeroDivisionError)
    app._print_error_renderables()
    told = " ".join(capsys.readouterr().err.split())
    assert told == (
        "fleetview: an error in the dashboard: ZeroDivisionError: integer division or modulo by zero; "
        "its trace is in the log"
    )
