"""A kubeconfig that cannot be used is told in one line, whatever is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from presage.adapters.kubeconfig_reader import ClusterReader, ReaderError


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param("{", "no YAML", id="cut off"),
        pytest.param("", "cannot use the kubeconfig", id="empty"),
        pytest.param("text", "cannot use the kubeconfig", id="a text"),
        pytest.param("[1]", "cannot use the kubeconfig", id="a list"),
        pytest.param("current-context: a", "cannot use the kubeconfig", id="no contexts"),
        pytest.param("{current-context: a, contexts: 5}", "cannot use the kubeconfig", id="contexts of another shape"),
        pytest.param("{current-context: a, contexts: [b]}", "cannot use the kubeconfig", id="a context that is a text"),
    ],
)
def test_a_damaged_kubeconfig(content: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "config"
    place.write_text(content, encoding="utf-8")
    monkeypatch.setenv("KUBECONFIG", str(place))
    with pytest.raises(ReaderError, match=said) as caught:
        ClusterReader(None)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)


def test_of_several_kubeconfigs_one_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "a:b")
    with pytest.raises(ReaderError, match="several files"):
        ClusterReader(None)
