"""The metrics: a registry of its own for each node, conventional names, documented."""

import re

from node.metrics import Metrics


def test_two_nodes_in_one_process_count_apart() -> None:
    one, other = Metrics(), Metrics()

    one.votes.labels(kind="prevote").inc()

    assert one.value("khazana_votes_total", kind="prevote") == 1
    assert other.value("khazana_votes_total", kind="prevote") == 0


def test_every_metric_has_our_prefix_a_sentence_and_a_conventional_name() -> None:
    for family in Metrics().registry.collect():
        assert re.fullmatch(r"khazana_[a-z_]+", family.name)
        assert not family.name.endswith(("_ms", "_count", "_total_total"))
        assert family.documentation[0].isupper()


def test_the_exposition_text_is_what_prometheus_reads() -> None:
    metrics = Metrics()
    metrics.height.set(12)

    assert b"\nkhazana_height 12.0\n" in metrics.render()
