"""The series in the text that Prometheus reads. Imported when first asked for: prometheus-client costs memory."""

from __future__ import annotations

import math
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from fleetview_agent.serving.series import SERIES, Node, Series

PREFIX = "fleetview_"


def expose(node: Node, accept: str) -> tuple[bytes, str]:
    """The whole answer and its content type, in the form that the client accepts."""
    registry = CollectorRegistry()  # the default one would tell of Python, which is nobody's concern
    registry.register(_Everything(node))
    ProcessCollector(registry=registry)  # tells nothing where there is no /proc
    try:
        encode, content_type = choose_encoder(accept)
    except TypeError:  # a version that is no number cannot be compared with one
        encode, content_type = generate_latest, CONTENT_TYPE_PLAIN_0_0_4
    return encode(registry), content_type


class _Everything(Collector):
    """Every series of a node that has something to tell."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def collect(self) -> Iterator[Metric]:
        """The metrics, as the library knows them."""
        for series in SERIES:
            family = _family(series, self._node)
            if family.samples:
                yield family


def _family(series: Series, node: Node) -> Metric:
    """One series with its rows; of two rows with the same labels, for which a scrape would fail, the first."""
    rows: dict[tuple[str, ...], float] = {}
    for labels, value in series.rows(node):
        if value is not None and math.isfinite(value):
            rows.setdefault(tuple(map(_label, labels)), value)
    name = PREFIX + series.name
    if series.kind == "info":
        info = InfoMetricFamily(name.removesuffix("_info"), series.about, labels=series.labels)
        for labels in rows:
            info.add_metric(labels, {})
        return info
    kind = CounterMetricFamily if series.kind == "counter" else GaugeMetricFamily
    family = kind(name, series.about, labels=series.labels)
    for labels, value in rows.items():
        family.add_metric(labels, value)
    return family


def _label(text: str) -> str:
    """The text as it can be sent: names of files may hold what is no character."""
    return text.encode(errors="backslashreplace").decode()
