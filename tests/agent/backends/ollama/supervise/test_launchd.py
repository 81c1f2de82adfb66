"""What launchd says of its jobs, in the layout of what real ones said."""

from __future__ import annotations

import plistlib
from pathlib import Path

import pytest

from fleetview_agent.backends.ollama.processes import Server
from fleetview_agent.backends.ollama.supervise.commands import Answer
from fleetview_agent.backends.ollama.supervise.facts import Ancestor, Job, SeenServer
from fleetview_agent.backends.ollama.supervise.launchd import find_jobs, parse_list, parse_plist, parse_print

BREW_LOG = Path("/opt/homebrew/var/log/ollama.log")
BREW_FILE = Path("/Users/me/Library/LaunchAgents/homebrew.mxcl.ollama.plist")
BREW_PLIST = {
    "Label": "homebrew.mxcl.ollama",
    "ProgramArguments": ["/opt/homebrew/opt/ollama/bin/ollama", "serve"],
    "EnvironmentVariables": {"OLLAMA_FLASH_ATTENTION": "1", "OLLAMA_KV_CACHE_TYPE": "q8_0"},
    "KeepAlive": True,
    "RunAtLoad": True,
    "LimitLoadToSessionType": ["Aqua", "Background", "LoginWindow", "StandardIO", "System"],
    "StandardErrorPath": str(BREW_LOG),
    "StandardOutPath": str(BREW_LOG),
    "WorkingDirectory": "/opt/homebrew/var",
}
LISTED = "PID\tStatus\tLabel\n-\t0\tcom.apple.emond\n812\t0\thomebrew.mxcl.ollama\n-\t-15\tcom.me.other\n"


PRINTED = """\
{domain}/{label} = {{
\tactive count = 1
\tpath = /Users/me/Library/LaunchAgents/{label}.plist
\ttype = LaunchAgent
\tstate = running

\tprogram = {program}
\targuments = {{
\t\t{program}
\t\tserve
\t}}

\tstdout path = /opt/homebrew/var/log/ollama.log
\tstderr path = /opt/homebrew/var/log/ollama.log
\tinherited environment = {{
\t\tSSH_AUTH_SOCK => /var/run/com.apple.launchd.AbCdEf1234/Listeners
\t}}

\tenvironment = {{
\t\tOLLAMA_FLASH_ATTENTION => 1
\t\tXPC_SERVICE_NAME => {label}
\t}}

\tdomain = {domain} [100021]
\truns = 2
\tpid = {pid}
\tlast exit code = 0

\tresource coalition = {{
\t\tID = 25951
\t\tstate = active
\t}}

\tproperties = keepalive | runatload
}}
"""


def printed(label: str, domain: str, pid: int, program: str = "/opt/homebrew/opt/ollama/bin/ollama") -> str:
    """An answer of `launchctl print`."""
    return PRINTED.format(label=label, domain=domain, pid=pid, program=program)


class Launchctl:
    """Answers as launchctl would."""

    def __init__(self, listed: str, **prints: str) -> None:
        self.listed = listed
        self.prints = prints
        self.asked: list[str] = []

    async def __call__(self, *words: str) -> Answer:
        self.asked.append(" ".join(words))
        if words[1] == "list":
            return Answer(0, self.listed)
        output = self.prints.get(words[2])
        return Answer(113, "Could not find service") if output is None else Answer(0, output)


def a_server(pid: int, *ancestors: Ancestor) -> SeenServer:
    return SeenServer(
        Server(pid, ancestors[0].pid if ancestors else 1, 1.0, ("ollama", "serve"), "me"), None, ancestors
    )


def test_a_job_is_read_without_what_its_inner_blocks_say() -> None:
    job = parse_print(printed("ai.me", "gui/501", 812))
    assert job.pid == 812
    assert job.values["state"] == "running"  # and not that of the coalition
    assert job.arguments == ("/opt/homebrew/opt/ollama/bin/ollama", "serve")
    assert job.environment == {"OLLAMA_FLASH_ATTENTION": "1", "XPC_SERVICE_NAME": "ai.me"}
    assert job.properties == {"keepalive", "runatload"}
    assert parse_print(printed("ai.me", "gui/501", 812).replace("\tpid = 812\n", "")).pid is None


def test_a_list_is_read_with_those_that_do_not_run() -> None:
    assert parse_list(LISTED) == {"com.apple.emond": None, "homebrew.mxcl.ollama": 812, "com.me.other": None}


def test_a_property_list_tells_how_the_server_would_run() -> None:
    job = parse_plist(plistlib.dumps(BREW_PLIST), BREW_FILE)
    assert job == Job(
        "homebrew.mxcl.ollama",
        None,
        BREW_FILE,
        keeps_alive=True,
        sessions=("Aqua", "Background", "LoginWindow", "StandardIO", "System"),
        log_file=BREW_LOG,
    )


@pytest.mark.parametrize(
    ("changed", "port", "runs_at_load"),
    [
        pytest.param({"EnvironmentVariables": {"OLLAMA_HOST": "0.0.0.0:11500"}}, 11500, True, id="port"),
        pytest.param({"EnvironmentVariables": {"OLLAMA_HOST": "http://[::1]"}}, 80, True, id="port of the scheme"),
        pytest.param({"ProgramArguments": ["/bin/zsh", "-lic", "ollama serve"]}, 11434, True, id="in a shell"),
        pytest.param({"KeepAlive": {"SuccessfulExit": False}, "RunAtLoad": False}, 11434, False, id="by hand"),
    ],
)
def test_a_property_list_may_be_the_operators_own(changed: dict[str, object], port: int, runs_at_load: bool) -> None:
    job = parse_plist(plistlib.dumps({**BREW_PLIST, **changed}), BREW_FILE)
    assert job is not None
    assert (job.port, job.runs_at_load) == (port, runs_at_load)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00bplist00",
        b"<?xml version='1.0'?><plist><dict><key>Label",
        plistlib.dumps(["a", "list"]),
        plistlib.dumps({"Label": 5, "ProgramArguments": ["ollama", "serve"]}),
        plistlib.dumps({**BREW_PLIST, "ProgramArguments": ["/usr/bin/ollama-webui", "serve"]}),
        plistlib.dumps({**BREW_PLIST, "ProgramArguments": {"no": "list"}}),
    ],
)
def test_other_property_lists_are_passed_over(content: bytes) -> None:
    assert parse_plist(content, BREW_FILE) is None


@pytest.mark.parametrize("text", ["", "{", "}\n}\n}", "a = b", "x = {\n\t\t}", "\n".join("{" * 50)])
def test_nonsense_from_launchctl_is_no_job(text: str) -> None:
    assert parse_print(text).pid is None
    assert parse_list(text) == {}


async def test_a_homebrew_service_is_found_in_the_session_at_the_screen() -> None:
    label = "homebrew.mxcl.ollama"
    launchctl = Launchctl(LISTED, **{"gui/501": "…", f"gui/501/{label}": printed(label, "gui/501", 812)})
    jobs, has_screen = await find_jobs(launchctl, (), (a_server(812),), 501)
    assert has_screen
    assert jobs == (Job(label, "gui/501", BREW_FILE, 812, keeps_alive=True, log_file=BREW_LOG),)


async def test_over_ssh_without_a_screen_the_background_session_is_asked() -> None:
    label = "homebrew.mxcl.ollama"
    launchctl = Launchctl(LISTED, **{f"user/501/{label}": printed(label, "user/501", 812)})
    jobs, has_screen = await find_jobs(launchctl, (), (), 501)
    assert not has_screen
    assert [job.domain for job in jobs] == ["user/501"]
    assert not [words for words in launchctl.asked if "gui/501/" in words]


async def test_an_installed_job_that_is_not_loaded_is_known_by_its_file() -> None:
    installed = parse_plist(plistlib.dumps(BREW_PLIST), BREW_FILE)
    assert installed is not None
    assert await find_jobs(Launchctl("", **{"gui/501": "…"}), (installed,), (), 501) == ((installed,), True)


@pytest.mark.parametrize(
    ("label", "program", "found"),
    [
        pytest.param("com.me.models", "/Users/me/bin/run-models", True, id="a script that became the server"),
        pytest.param("application.com.electron.ollama.1.2", "/Applications/Ollama.app/x", False, id="the app"),
        pytest.param("com.openssh.sshd.0000", "/usr/sbin/sshd", False, id="a login"),
        pytest.param("com.ollama.ollama", "/Applications/Ollama.app/Squirrel", False, id="the app's login item"),
    ],
)
async def test_a_job_is_known_by_its_process_but_what_a_person_began_is_none(
    label: str, program: str, found: bool
) -> None:
    listed = f"PID\tStatus\tLabel\n812\t0\t{label}\n"
    launchctl = Launchctl(listed, **{"gui/501": "…", f"gui/501/{label}": printed(label, "gui/501", 812, program)})
    jobs, _ = await find_jobs(launchctl, (), (a_server(812),), 501)
    assert bool(jobs) == found


async def test_a_job_that_only_started_a_shell_above_the_server_is_not_taken_for_its_keeper() -> None:
    listed = "PID\tStatus\tLabel\n70\t0\tdev.me.agent\n"
    text = printed("dev.me.agent", "gui/501", 70, "/Users/me/bin/agent").replace("\tserve", "\twork")
    launchctl = Launchctl(listed, **{"gui/501": "…", "gui/501/dev.me.agent": text})
    assert await find_jobs(launchctl, (), (a_server(812, Ancestor(70, "agent")),), 501) == ((), True)
