"""How much a Mac holds back because of heat, by the notification that it posts when that changes."""

from __future__ import annotations

from ctypes import POINTER, byref, c_char_p, c_int, c_uint32, c_uint64

from fleetview_agent.samplers.macos.libraries import Libraries, function
from fleetview_agent.samplers.probing import Moment, Probe, Reading, Unreadable
from fleetview_agent.wire import ThermalState

NOTIFICATION = "com.apple.system.thermalpressurelevel"
STATES: tuple[ThermalState, ...] = ("nominal", "moderate", "heavy", "trapping", "sleeping")
"""By the number that the notification carries; it is zero until it was posted for the first time."""
OK = 0


def thermal_probe(libraries: Libraries) -> Probe:
    """The state, in the system's own words."""
    notification = _Notification(libraries)
    return Probe("thermal", {"thermal_state": f"notification {NOTIFICATION}"}, notification.read, notification.close)


class _Notification:
    """A registration that is kept, and made again after a failure."""

    def __init__(self, libraries: Libraries) -> None:
        system = libraries.system
        self._register = function(system, "notify_register_check", c_uint32, c_char_p, POINTER(c_int))
        self._get_state = function(system, "notify_get_state", c_uint32, c_int, POINTER(c_uint64))
        self._cancel = function(system, "notify_cancel", c_uint32, c_int)
        self._token: int | None = None

    def read(self, _moment: Moment) -> Reading:
        """The state now. Raises Unreadable."""
        state = c_uint64()
        if (status := self._get_state(self._registered(), byref(state))) != OK:
            self.close()
            raise Unreadable(f"notify_get_state failed with status {status}")
        if state.value >= len(STATES):
            raise Unreadable(f"{NOTIFICATION} is {state.value}, which has no meaning")
        return Reading({"thermal_state": STATES[state.value]})

    def close(self) -> None:
        """Give the registration up."""
        if self._token is not None:
            self._cancel(self._token)
        self._token = None

    def _registered(self) -> int:
        """The token of the registration. Raises Unreadable."""
        if self._token is None:
            token = c_int()
            if (status := self._register(NOTIFICATION.encode(), byref(token))) != OK:
                raise Unreadable(f"notify_register_check failed with status {status}")
            self._token = token.value
        return self._token
