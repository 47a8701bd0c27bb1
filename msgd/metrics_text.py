"""Metrics as Prometheus reads them, by its own library, which is an extra.

The only file that imports prometheus_client, and itself imported only when metrics are wanted. Of
the library only the values and the text format are used: none of its threads, none of its servers.

Must never keep anything between two answers. Fails with ImportError where the extra is missing.
"""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from msgd.metrics import Family, Kind


class _Given(Collector):
    """A collector of what was counted elsewhere."""

    def __init__(self, families: tuple[Family, ...]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """See prometheus_client."""
        return [_metric(family) for family in self._families]


def render(families: tuple[Family, ...]) -> bytes:
    """The families in the text format of Prometheus."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Given(families))
    return generate_latest(registry)


def _metric(family: Family) -> Metric:
    if family.kind is Kind.HISTOGRAM:
        buckets = [(_bound(bound), count) for bound, count in family.buckets]
        return HistogramMetricFamily(family.name, family.text, buckets, family.total)
    labels = [family.label_name] if family.label_name else []
    metric: CounterMetricFamily | GaugeMetricFamily
    if family.kind is Kind.COUNTER:
        metric = CounterMetricFamily(family.name, family.text, labels=labels)
    else:
        metric = GaugeMetricFamily(family.name, family.text, labels=labels)
    for sample in family.samples:
        metric.add_metric([sample.label] if family.label_name else [], sample.value)
    return metric


def _bound(bound: float) -> str:
    return "+Inf" if bound == float("inf") else repr(bound)
