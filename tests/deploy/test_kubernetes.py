"""The chart and the kustomization: valid, alike, and patient with streams."""

import shutil
import subprocess
from typing import Any

import pytest
import yaml

from gateway.settings.load import load
from tests.deploy.charts import CHART, KUSTOMIZE, Resource, by_kind, helm, kustomize

KUBERNETES = "1.37.0"
EVERYTHING = {
    "autoscaling": {"enabled": True},
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "rules": {"enabled": True},
    "env": {"GATEWAY_LOG_LEVEL": "warning"},
    "secretEnv": [{"name": "ADMIN_KEY", "key": "admin-key"}],
    "imagePullSecrets": [{"name": "registry"}],
    "podLabels": {"team": "search"},
    "podAnnotations": {"note": "yes"},
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "gpu", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "service": {"annotations": {"note": "yes"}},
}
NOTHING = {"networkPolicy": {"enabled": False}, "podDisruptionBudget": {"enabled": False}}
# The Prometheus Operator's resources have no schema in Kubernetes itself.
OF_OTHERS = {"ServiceMonitor", "PrometheusRule"}
SETS = {
    "chart": helm(),
    "chart, everything on": helm(EVERYTHING),
    "chart, least": helm(NOTHING),
    "kustomize, base": kustomize("base"),
    "kustomize, monitored": kustomize("monitored"),
}


def pod(resources: list[Resource]) -> Any:
    return by_kind(resources)["Deployment"]["spec"]["template"]["spec"]


@pytest.mark.parametrize("name", SETS)
def test_resources_are_valid(name: str) -> None:
    validate = pytest.importorskip("kubernetes_validate")

    for resource in SETS[name]:
        if resource["kind"] not in OF_OTHERS:
            validate.validate(resource, KUBERNETES, strict=True)


def test_the_chart_brings_what_is_asked_for() -> None:
    kinds = {name: sorted(r["kind"] for r in found) for name, found in SETS.items()}

    assert kinds["chart, least"] == ["ConfigMap", "Deployment", "Service", "ServiceAccount"]
    assert set(kinds["chart, everything on"]) - set(kinds["chart"]) == {
        "HorizontalPodAutoscaler",
        "PrometheusRule",
        "ServiceMonitor",
    }
    assert "replicas" not in by_kind(SETS["chart, everything on"])["Deployment"]["spec"]


@pytest.mark.parametrize("name", SETS)
def test_a_pod_is_confined(name: str) -> None:
    spec = pod(SETS[name])
    (container,) = spec["containers"]

    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]


@pytest.mark.parametrize("name", SETS)
def test_streams_in_flight_may_finish_before_a_pod_is_killed(name: str) -> None:
    spec = pod(SETS[name])
    word, pause = spec["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    drain = load(None, {}).server.drain

    assert word == "sleep"
    assert spec["terminationGracePeriodSeconds"] > int(pause) + drain


@pytest.mark.parametrize("name", SETS)
def test_readiness_is_asked_apart_from_life(name: str) -> None:
    (container,) = pod(SETS[name])["containers"]

    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"


@pytest.mark.parametrize("name", SETS)
def test_no_secret_is_written_down(name: str) -> None:
    (container,) = pod(SETS[name])["containers"]
    secret = {
        e["name"]: e["valueFrom"]["secretKeyRef"] for e in container["env"] if "valueFrom" in e
    }

    assert {"OPENAI_API_KEY", "GATEWAY_REDIS_URL"} <= secret.keys()
    assert "Secret" not in by_kind(SETS[name])


def test_chart_and_kustomization_run_the_same_pod() -> None:
    ours, theirs = pod(SETS["chart"]), pod(SETS["kustomize, base"])
    for spec in (ours, theirs):
        spec["containers"][0].pop("image")
        spec["topologySpreadConstraints"][0].pop("labelSelector")

    assert ours == theirs


def test_chart_and_kustomization_scale_alike() -> None:
    ours = by_kind(SETS["chart, everything on"])["HorizontalPodAutoscaler"]["spec"]
    theirs = by_kind(SETS["kustomize, monitored"])["HorizontalPodAutoscaler"]["spec"]

    assert ours == theirs
    assert ours["metrics"][0]["pods"]["metric"]["name"] == "gateway_in_flight"


def test_chart_and_kustomization_open_the_same_ways() -> None:
    ours = by_kind(SETS["chart"])["NetworkPolicy"]["spec"]
    theirs = by_kind(SETS["kustomize, base"])["NetworkPolicy"]["spec"]

    assert {**ours, "podSelector": None} == {**theirs, "podSelector": None}


def test_the_configurations_are_good(tmp_path: Any) -> None:
    written = by_kind(SETS["chart"])["ConfigMap"]["data"]["tiergate.yaml"]
    (tmp_path / "chart.yaml").write_text(written)
    environ = {"OPENAI_API_KEY": "sk-0123456789abcdef0123456789abcdef"}

    ours = load(tmp_path / "chart.yaml", environ)

    assert ours == load(KUSTOMIZE / "base" / "tiergate.yaml", environ)
    assert not ours.simulate.enabled


def test_the_rules_are_in_the_chart() -> None:
    found = [r for r in SETS["chart, everything on"] if r["kind"] == "PrometheusRule"]
    names = [group["name"] for rule in found for group in rule["spec"]["groups"]]

    assert len(found) == 2
    assert "tiergate" in names
    assert all((CHART / "files" / f).is_symlink() for f in ("alerts.yml", "recording.yml"))


@pytest.mark.skipif(
    not (shutil.which("kustomize") or shutil.which("kubectl")), reason="kustomize is not installed"
)
@pytest.mark.parametrize("name", ["base", "monitored"])
def test_kustomize_builds_it(name: str) -> None:
    build = ["kustomize", "build"] if shutil.which("kustomize") else ["kubectl", "kustomize"]
    built = subprocess.run(  # noqa: S603 - our own paths
        [*build, str(KUSTOMIZE / name)], capture_output=True, text=True, check=False
    )

    assert built.returncode == 0, built.stderr
    kinds = sorted(document["kind"] for document in yaml.safe_load_all(built.stdout))
    assert kinds == sorted([*(r["kind"] for r in kustomize(name)), "ConfigMap"])
