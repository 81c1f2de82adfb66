"""Small outputs of the programs and drivers that samplers read; recordings of real machines are used beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

RECORDINGS = Path(__file__).resolve().parents[3].parent / "shared" / "recordings"

MACMON = (
    (
        b'{"timestamp":"2026-02-17T00:00:00Z","temp":{"cpu_temp_avg":41.5,"gpu_temp_avg":38.25},"memory":{"ram_total":'
        b'17179869184,"ram_usage":9000000000,"swap_total":0,"swap_usage":0},"ecpu_usage":[1180,0.16],"pcpu_usage":'
        b'[1300,0.05],"gpu_usage":[461,0.04],"cpu_power":0.5,"gpu_power":0.125,"ane_power":0.0,"all_power":0.625,'
        b'"sys_power":7.5,"ram_power":0.25,"gpu_ram_power":0.0}'
    ),
    (
        b'{"all_power":26.0,"ane_power":0.0,"cpu_active_ratio":0.2,"cpu_power":4.5,"fans":[{"max_rpm":5700,"name":"fan0",'
        b'"rpm":1800},{"max_rpm":5700,"name":"fan1","rpm":1850}],"gpu_active_ratio":0.5,"gpu_freq_mhz":1300,"gpu_power":'
        b'21.5,"gpu_usage":[1300,0.5],"sys_power":48.75,"temp":{"cpu_temp_avg":43.5,"gpu_temp_avg":51.25}}'
    ),
)
"""A line of macmon 0.7 and one of 0.8."""
TEGRASTATS = (
    b"11-14-2024 22:54:33 RAM 4300/30698MB (lfb 6x4MB) GR3D_FREQ 45% cpu@52.468C gpu@53.5C VDD_IN 12500mW/12400mW",
    (
        b"RAM 3276/7859MB (lfb 5x4MB) CPU [12%@729,off] GR3D_FREQ 0%@[306] gpu@40C cpu@41C VDD_CPU_GPU_CV 602mW/600mW "
        b"VDD_SOC 1204mW/1190mW"
    ),
    b"RAM 1156/7846MB GR3D_FREQ 12%@1122 MCPU@38.5C GPU@37C VDD_SYS_GPU 152/152 VDD_SYS_SOC 381/381 VDD_IN 2476/2476",
)
IOREG = (
    (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<plist version="1.0">\n<array>\n<dict>\n<key>model</key>'
        b"<string>Apple M4 Pro</string>\n<key>PerformanceStatistics</key>\n<dict>\n"
        b"<key>Alloc system memory</key><integer>21307064320</integer>\n"
        b"<key>Device Utilization %</key><integer>43</integer>\n"
        b"<key>In use system memory</key><integer>18540298240</integer>\n"
        b"<key>In use system memory (driver)</key><integer>0</integer>\n</dict>\n</dict>\n</array>\n</plist>\n"
    ),
)
SENSORS = {
    "sys/class/hwmon/hwmon0/name": "coretemp\n",
    "sys/class/hwmon/hwmon0/temp1_label": "Package id 0\n",
    "sys/class/hwmon/hwmon0/temp1_input": "45000\n",
    "sys/class/hwmon/hwmon1/name": "nct6798\n",
    "sys/class/hwmon/hwmon1/fan1_input": "1200\n",
    "sys/class/hwmon/hwmon1/fan2_input": "0\n",
}
CARD = "sys/class/drm/card1/device"
AMD = {
    f"{CARD}/vendor": "0x1002\n",
    f"{CARD}/device": "0x73df\n",
    f"{CARD}/revision": "0xc5\n",
    f"{CARD}/gpu_busy_percent": "37\n",
    f"{CARD}/mem_info_vram_total": "12868124672\n",
    f"{CARD}/mem_info_vram_used": "6434062336\n",
    f"{CARD}/power/runtime_status": "active\n",
    f"{CARD}/hwmon/hwmon3/temp1_input": "51000\n",
    f"{CARD}/hwmon/hwmon3/temp2_input": "63000\n",
    f"{CARD}/hwmon/hwmon3/power1_average": "120000000\n",
    f"{CARD}/hwmon/hwmon3/freq1_input": "2105000000\n",
    f"{CARD}/hwmon/hwmon3/fan1_input": "1100\n",
}
"""A card with 12 GB, at work."""
CONTAINER = {
    "sys/fs/cgroup/memory.max": "4294967296\n",
    "sys/fs/cgroup/memory.current": "1073741824\n",
    "sys/fs/cgroup/memory.stat": "anon 536870912\nfile 536870912\ninactive_file 268435456\n",
    "sys/fs/cgroup/memory.pressure": (
        "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
    ),
}


def recorded(*names: str) -> Sequence[bytes]:
    """Recordings of real machines; none in a clone that is without them."""
    return tuple(path.read_bytes() for name in names if (path := RECORDINGS / name).exists())


def lines(texts: Sequence[bytes]) -> Sequence[bytes]:
    """Each line by itself."""
    return tuple(line for text in texts for line in text.splitlines() if line.strip() and not line.startswith(b"#"))
