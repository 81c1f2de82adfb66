"""The files of a Linux machine that is not there."""

from __future__ import annotations

from pathlib import Path

PLAIN = {
    "proc/stat": "cpu  1000 0 500 8000 500 0 0 0 0 0\ncpu0 1000 0 500 8000 500 0 0 0 0 0\nintr 1\n",
    "proc/meminfo": (
        "MemTotal:       16777216 kB\nMemFree:         1000000 kB\nMemAvailable:    8388608 kB\n"
        "SwapTotal:       2097152 kB\nSwapFree:        1048576 kB\nHugePages_Total:       0\n"
    ),
    "proc/pressure/memory": (
        "some avg10=1.50 avg60=0.00 avg300=0.00 total=0\nfull avg10=0.25 avg60=0.00 avg300=0.00 total=0\n"
    ),
    "proc/vmstat": "nr_free_pages 123\npswpin 100\npswpout 200\nthp_x 0\n",
    "proc/uptime": "5000.25 9000.00\n",
    "proc/cpuinfo": "processor\t: 0\nmodel name\t: Imaginary 9000 @ 5.00GHz\nflags\t\t: fpu sse2\n",
    "etc/os-release": 'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n\n',
}
"""A machine with 16 GiB, of which half is available, without sensors and without a GPU."""


def put(root: Path, name: str, text: str) -> None:
    """Write one file."""
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def put_all(root: Path, files: dict[str, str], below: str = ".") -> None:
    """Write several."""
    for name, text in files.items():
        put(root / below, name, text)
