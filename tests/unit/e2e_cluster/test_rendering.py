"""Configurations, certificates, archives and tables as they are written."""

from __future__ import annotations

import base64
import io
import json
import socket
import tarfile
import tomllib
from pathlib import Path

import pytest
import yaml

from e2e.cluster import api, control_plane, debian, leftovers, node, pki, ports, pretended
from e2e.cluster.__main__ import main, render
from e2e.cluster.cluster import Cluster
from e2e.cluster.errors import ClusterError, last_lines
from e2e.cluster.images import write_single_program
from e2e.cluster.parts import Layout, Part
from e2e.cluster.shapes import SHAPES

STATE = Path("/state/of/it")


def layout(shape: str, state: Path = STATE) -> Layout:
    wanted = SHAPES[shape]
    numbers = {name: 20000 + index for index, name in enumerate(wanted.ports)}
    binaries = {name: Path(f"/bin/{name}-0123/{name}") for name in wanted.binaries}
    return Layout(shape, state, wanted.host_ip, numbers, binaries)


def parts(shape: str, state: Path) -> dict[str, Part]:
    made = (make(layout(shape, state)) for wave in SHAPES[shape].waves for make in wave)
    return {part.name: part for part in made}


@pytest.mark.parametrize("shape", SHAPES)
def test_parts_find_all_they_name(shape: str, tmp_path: Path) -> None:
    found = parts(shape, tmp_path)
    assert next(iter(found)) == "etcd"
    assert all(Path(part.argv[0]).is_absolute() for part in found.values())


def test_shapes_share_no_port_and_no_pod_address() -> None:
    assert abs(ports.FIRST["full"] - ports.FIRST["control"]) > len(SHAPES["full"].ports)
    assert len(set(control_plane.POD_NETS.values())) == len(SHAPES)


def test_control_listens_on_loopback_alone(tmp_path: Path) -> None:
    server = parts("control", tmp_path)["kube-apiserver"].argv
    assert "--bind-address=127.0.0.1" in server
    assert "--endpoint-reconciler-type=none" in server


def test_containerd_config_keeps_to_our_folders() -> None:
    config = tomllib.loads(node.containerd_config(layout("full")))
    plugins = config["plugins"]
    assert config["root"].startswith(str(STATE))
    assert config["grpc"]["address"] == str(node.SOCKET)
    assert plugins["io.containerd.cri.v1.runtime"]["restrict_oom_score_adj"] is True
    assert plugins["io.containerd.cri.v1.images"]["pinned_images"]["sandbox"] == "localhost/presage-pause:0123"


def test_kubelet_takes_sixty_pods_and_more() -> None:
    assert node.kubelet_config(layout("full"))["maxPods"] >= 60


@pytest.mark.parametrize("forwards", [True, False])
def test_corefile_forwards_only_where_there_is_a_resolver(forwards: bool) -> None:
    assert ("forward . /etc/resolv.conf" in node.corefile(layout("full"), forwards)) is forwards


def test_stages_cover_nodes_and_pods() -> None:
    text = Path(pretended.__file__).with_name("stages.yaml").read_text()
    stages = list(yaml.safe_load_all(text))
    assert {stage["spec"]["resourceRef"]["kind"] for stage in stages} == {"Node", "Pod"}
    assert f'annotations["{pretended.READY_AFTER}"]' in text


def test_kubeconfig_holds_everything_inside(tmp_path: Path) -> None:
    for name in ("ca.crt", "admin.crt", "admin.key"):
        (tmp_path / name).write_text(name)
    content = json.loads(api.kubeconfig("https://127.0.0.1:1", tmp_path, "admin", "presage-control"))
    assert content["current-context"] == "presage-control"
    assert [context["name"] for context in content["contexts"]] == ["presage-control"]
    assert base64.b64decode(content["users"][0]["user"]["client-key-data"]) == b"admin.key"


def test_certificates_say_what_strict_verifiers_want() -> None:
    for leaf in pki.leaves(["127.0.0.1"], "node"):
        text = pki.leaf_extensions(leaf)
        for key in ("keyUsage", "extendedKeyUsage", "subjectKeyIdentifier", "authorityKeyIdentifier", "subjectAltName"):
            assert f"{key}=" in text
        assert leaf.authority in pki.AUTHORITIES


def test_archive_of_one_program_is_the_same_each_time(tmp_path: Path) -> None:
    program = tmp_path / "pause"
    program.write_bytes(b"\x7fELF")
    first, second = tmp_path / "1.tar", tmp_path / "2.tar"
    for archive in (first, second):
        write_single_program(archive, "localhost/x:1", program)
    assert first.read_bytes() == second.read_bytes()
    with tarfile.open(first) as archive:
        layer = archive.extractfile("layer.tar")
        assert layer is not None
        with tarfile.open(fileobj=io.BytesIO(layer.read())) as inner:
            assert inner.getmember("pause").mode == 0o755


def test_choose_passes_over_ports_in_use() -> None:
    assert ports.choose(["a", "b"], 100, lambda port: port != 101) == {"a": 100, "b": 102}


def test_choose_gives_up_at_the_end() -> None:
    with pytest.raises(OSError, match="no free port"):
        ports.choose(["a"], 29999, lambda port: port > 29999)


def test_held_ports_are_given_to_nobody_else() -> None:
    """Nobody listens on them yet: a second cluster that starts at the same moment must still pass them over."""
    with ports.held(["a", "b"], 27000) as one, ports.held(["a", "b"], 27000) as other:
        assert not set(one.values()) & set(other.values())
    with ports.held(["a", "b"], 27000) as again:
        assert again == one


def test_a_port_in_use_is_not_held() -> None:
    with ports.held(["a"], 27100) as free, socket.socket() as busy:
        busy.bind(("127.0.0.1", free["a"]))
        busy.listen()
        with ports.held(["a"], 27100) as second:
            assert second["a"] > free["a"]


def test_ports_of_others_are_passed_over() -> None:
    with ports.held(["a"], 27200) as found:
        first = found["a"]
    with ports.held(["a"], 27200, {first}) as found:
        assert found["a"] > first


@pytest.mark.parametrize(
    ("shape", "name", "complaint"),
    [
        ("control", "Mine", "is no name"),
        ("control", "../mine", "is no name"),
        ("control", "a" * 21, "is no name"),
        ("control", "full", "cannot be called"),
        ("full", "mine", "cannot be called"),
    ],
)
def test_names_that_will_not_do(shape: str, name: str, complaint: str) -> None:
    with pytest.raises(ClusterError, match=complaint):
        Cluster(shape, name)


def test_names_part_clusters(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    one, other = Cluster("control"), Cluster("control", "other")
    assert (one.name, one.context, other.context) == ("control", "presage-control", "presage-other")
    assert one.state != other.state


def test_parse_installed_counts_only_what_is_there() -> None:
    listing = "runc ii \nbuildah un \niptables ii \nold rc \nodd\n"
    assert debian.parse_installed(listing) == {"runc", "iptables"}


def test_parse_mounts_takes_ours_last_first() -> None:
    rows = ["/", "/state/of/it/a", "/state/of/it/a/b\\040c", "/state/of/itself", "/run/presage/x"]
    text = "\n".join(f"1 2 0:1 / {row} rw - tmpfs tmpfs rw" for row in rows)
    want = ["/run/presage/x", "/state/of/it/a/b c", "/state/of/it/a"]
    assert leftovers.parse_mounts(text, [STATE, Path("/run/presage")]) == want


def test_links_are_removed_only_when_they_lead_to_us(tmp_path: Path) -> None:
    folder = tmp_path / "links"
    folder.mkdir()
    (folder / "ours").symlink_to(STATE / "pod-logs" / "x")
    (folder / "theirs").symlink_to("/var/log/pods/x")
    leftovers.remove_links(folder, STATE)
    assert [path.name for path in folder.iterdir()] == ["theirs"]


def test_notes_of_pod_networks_are_removed_only_when_ours(tmp_path: Path) -> None:
    folder = tmp_path / "cni" / "results"
    folder.mkdir(parents=True)
    (folder / "ours").write_text('{"netns": "/run/presage/containerd/netns/cni-1"}')
    (folder / "theirs").write_text('{"netns": "/run/netns/cni-2"}')
    (folder / "torn").write_text('{"netns')
    leftovers.remove_network_results(node.RUN, folder)
    assert sorted(path.name for path in folder.iterdir()) == ["theirs", "torn"]


def test_table_has_columns_as_wide_as_needed() -> None:
    assert render([("PART", "PID"), ("etcd", "7"), ("kubelet", "12345")]) == (
        "PART     PID\netcd     7\nkubelet  12345"
    )


def test_last_lines_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("\n".join(f"line {number}" for number in range(100)))
    assert last_lines(log, 2) == ["line 98", "line 99"]
    assert last_lines(tmp_path / "absent") == []


def test_a_cluster_that_never_was_is_down(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    cluster = Cluster("control")
    assert not cluster.is_up()
    assert cluster.table() == []
    cluster.down()
    with pytest.raises(ClusterError, match="it is down"):
        _ = cluster.server
    with pytest.raises(ClusterError, match="runs no containers"):
        cluster.load_image(tmp_path / "x.tar", "localhost/x:1")


def test_wrong_usage_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["up", "--shape", "round"])
    assert caught.value.code == 2
    assert "invalid choice" in capsys.readouterr().err


def test_status_of_a_cluster_that_is_down_is_exit_code_1(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert main(["status", "--shape", "control"]) == 1
    assert main(["status", "--name", "mine"]) == 1
    assert main(["status", "--all"]) == 0
