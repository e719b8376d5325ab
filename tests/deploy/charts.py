"""The chart and the kustomization as Kubernetes gets them: lists of resources."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.gotemplate import Chart

CHART = Path("deploy/helm/tiergate")
KUSTOMIZE = Path("deploy/kustomize")
Resource = dict[str, Any]


def helm(values: Mapping[str, Any] | None = None, *, release: str = "tiergate") -> list[Resource]:
    """What `helm template` prints, for the chart's values with these laid over."""
    about = yaml.safe_load((CHART / "Chart.yaml").read_text())
    top = {
        "Values": _laid_over(yaml.safe_load((CHART / "values.yaml").read_text()), values or {}),
        "Release": {"Name": release, "Namespace": "default", "Service": "Helm"},
        "Chart": {
            "Name": about["name"],
            "Version": about["version"],
            "AppVersion": about["appVersion"],
        },
        "Files": {},
    }
    chart = chart_itself()
    found: list[Resource] = []
    for path in sorted((CHART / "templates").glob("*.yaml")):
        found += _documents(chart.render(path.read_text(), top))
    return found


def chart_itself() -> Chart:
    """The chart's named templates and files."""
    files = {f"files/{p.name}": p.read_text() for p in (CHART / "files").iterdir()}
    chart = Chart(files)
    for path in (CHART / "templates").glob("*.tpl"):
        chart.define(path.read_text())
    return chart


def kustomize(name: str) -> list[Resource]:
    """The resources a kustomization lists, its bases' first."""
    place = KUSTOMIZE / name
    kustomization = yaml.safe_load((place / "kustomization.yaml").read_text())
    found: list[Resource] = []
    for listed in kustomization["resources"]:
        if listed.endswith(".yaml"):
            found += _documents((place / listed).read_text())
        else:
            found += kustomize(str((place / listed).resolve().relative_to(KUSTOMIZE.resolve())))
    return found


def by_kind(resources: list[Resource]) -> dict[str, Resource]:
    """Resources that are the only ones of their kind."""
    return {resource["kind"]: resource for resource in resources}


def _documents(text: str) -> Iterator[Resource]:
    yield from (document for document in yaml.safe_load_all(text) if document)


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(below)
    for name, said in above.items():
        inner = found.get(name)
        both = isinstance(inner, Mapping) and isinstance(said, Mapping)
        found[name] = _laid_over(dict(inner or {}), said) if both else said
    return found
