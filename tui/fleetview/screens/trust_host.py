"""Asks whether a machine that nobody knows yet is the one that is meant. Enter alone says no."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from fleetview.present import plain
from fleetview.present.text import Line
from fleetview.screens.confirm import Answers
from fleetview.widgets.dialog import Dialog
from fleetview.widgets.toned import contents

_KINDS = {"ssh-ed25519": "ed25519", "ssh-rsa": "rsa", "rsa-sha2-256": "rsa", "rsa-sha2-512": "rsa"}
"""Algorithm → what the file of a machine's own key is called after."""
_MEANING = (
    "No key of this host is known yet, so nothing was sent. "
    "If the machine itself prints another fingerprint, somebody stands in between."
)


class TrustHost(ModalScreen[bool]):
    """Shows a host key with what it means to trust it, and how to compare it.

    Only keys that mean nothing on the screens below say yes or lead there: whoever goes on pressing keys trusts nobody.
    """

    CSS_PATH = "question.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (18, "-tall")]  # noqa: RUF012 -- as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n,escape", "answer(False)", "no", id="trust.no", tooltip="Do not connect."),
        Binding("y", "answer(True)", "trust", id="trust.yes", tooltip="Write the key down and connect."),
        Binding("enter", "take", "choose", id="trust.take", tooltip="Take the answer that is chosen."),
        Binding("left", "choose(False)", show=False, id="trust.previous", tooltip="Choose no."),
        Binding("right", "choose(True)", show=False, id="trust.next", tooltip="Choose to trust."),
        Binding("tab,shift+tab", "other", show=False, id="trust.other", tooltip="Choose the other answer."),
        Binding("down,pagedown", "scroll(3)", show=False, id="trust.down", tooltip="Further down."),
        Binding("up,pageup", "scroll(-3)", show=False, id="trust.up", tooltip="Further up."),
    ]

    def __init__(self, node: str, host: str, algorithm: str, fingerprint: str, file: str) -> None:
        super().__init__()
        self._node = plain(node)
        self._host = plain(host)
        self._algorithm = plain(algorithm)
        self._fingerprint = plain(fingerprint)
        self._file = plain(file)

    def compose(self) -> ComposeResult:
        """The key, what it means, then the answers."""
        with Dialog("dialog") as dialog:
            dialog.border_title = Content(f"Trust {self._node}?")
            with VerticalScroll(id="key", can_focus=False):
                yield Static(contents(self._lines()))
            yield Answers("trust")

    def _lines(self) -> tuple[Line, ...]:
        """What stands in the dialog; what counts comes first, in case there is no room for the rest."""
        return (
            (("host  ", "dim"), (self._host, "plain")),
            (("key   ", "dim"), (self._algorithm, "plain")),
            ((self._fingerprint, "strong"),),
            (("", "plain"),),
            ((_MEANING, "plain"),),
            (("On that machine  ", "dim"), (f"ssh-keygen -lf {self._own_file()}", "accent")),
            (("Trusting writes  ", "dim"), (self._file, "plain")),
        )

    def _own_file(self) -> str:
        """Where the machine itself keeps the public half."""
        kind = "ecdsa" if self._algorithm.startswith("ecdsa-") else _KINDS.get(self._algorithm, "*")
        return f"/etc/ssh/ssh_host_{kind}_key.pub"

    def action_answer(self, trusted: bool) -> None:
        """Say it, once: a second key may have been pressed by then."""
        if self.is_current:
            self.dismiss(trusted)

    def action_take(self) -> None:
        """Say what is chosen."""
        self.action_answer(self.query_one(Answers).chosen)

    def action_choose(self, trusted: bool) -> None:
        """Choose an answer without saying it yet."""
        self.query_one(Answers).chosen = trusted

    def action_other(self) -> None:
        """Choose the other answer."""
        answers = self.query_one(Answers)
        answers.chosen = not answers.chosen

    def action_scroll(self, rows: int) -> None:
        """Further down, or up."""
        self.query_one("#key").scroll_relative(y=rows, animate=False)
