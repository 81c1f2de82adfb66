"""The notification of heat."""

from __future__ import annotations

import pytest

from fleetview_agent.samplers.macos.libraries import Libraries
from fleetview_agent.samplers.macos.thermal import STATES, thermal_probe
from fleetview_agent.samplers.probing import Moment, Unreadable
from tests.mac.standin import Standin

NOW = Moment(0)


def test_every_state_has_its_word_and_one_registration_serves_them_all(mac: Standin, libraries: Libraries) -> None:
    probe = thermal_probe(libraries)
    for number, word in enumerate(STATES):
        mac.set("thermal", str(number))
        assert probe.read(NOW).values == {"thermal_state": word}
    assert mac.count("registered") == 1
    probe.close()
    probe.close()
    assert mac.count("registered") == 0


def test_a_state_without_a_word_has_a_reason(mac: Standin, libraries: Libraries) -> None:
    mac.set("thermal", str(2**64 - 1))
    with pytest.raises(Unreadable, match="is 18446744073709551615, which has no meaning"):
        thermal_probe(libraries).read(NOW)


def test_a_failure_is_told_and_registration_is_tried_anew(mac: Standin, libraries: Libraries) -> None:
    probe = thermal_probe(libraries)
    for call in ("notify_register_check", "notify_get_state"):
        mac.set(f"fail.{call}", "9")
        with pytest.raises(Unreadable, match=f"{call} failed with status 9"):
            probe.read(NOW)
        mac.unset(f"fail.{call}")
        assert mac.count("registered") == 0
    assert probe.read(NOW).values == {"thermal_state": "nominal"}
    probe.close()
