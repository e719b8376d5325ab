"""The little of Go's templates that the chart needs, as Go has it."""

import pytest

from tests.deploy.gotemplate import Chart, TemplateError

TOP = {"Values": {"name": "x", "on": True, "off": False, "list": [1, 2], "map": {"b": 1, "a": 2}}}


def rendered(source: str, names: str = "") -> str:
    chart = Chart({"files/a": "contents {{ untouched }}"})
    chart.define(names)
    return chart.render(source, TOP)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a {{ .Values.name }} b", "a x b"),
        ("a\n{{- .Values.name -}}\n b", "axb"),
        ("{{ .Values.missing }}", ""),
        ("{{ .Values.on }}", "true"),
        ('{{ .Values.name | quote }}{{ "a\\"b" }}', '"x"a"b'),
        ('{{ .Values.missing | default "d" }}', "d"),
        ("{{ if .Values.on }}yes{{ end }}{{ if .Values.off }}no{{ end }}", "yes"),
        ("{{ if not .Values.off }}yes{{ end }}", "yes"),
        ("{{ with .Values.map }}{{ .a }}{{ end }}{{ with .Values.missing }}no{{ end }}", "2"),
        ("{{ range .Values.list }}<{{ . }}>{{ end }}", "<1><2>"),
        ("{{ range $k, $v := .Values.map }}{{ $k }}={{ $v }};{{ end }}", "a=2;b=1;"),
        ('{{ range $n := list "p" "q" }}{{ $n }}{{ $.Values.name }}{{ end }}', "pxqx"),
        ("{{ toYaml .Values.map | nindent 2 }}", "\n  a: 2\n  b: 1"),
        ("{{ toYaml .Values.list | indent 1 }}", " - 1\n - 2"),
        ('{{ "tier-gate-" | trunc 5 | trimSuffix "-" }}', "tier"),
        ('{{ .Files.Get (printf "files/%s" "a") }}', "contents {{ untouched }}"),
        ("{{/* a comment */}}{{ .Values.name }}", "x"),
    ],
)
def test_an_action_gives_what_go_gives(source: str, expected: str) -> None:
    assert rendered(source) == expected


def test_named_templates_have_their_own_dot() -> None:
    names = '{{ define "n" }}{{ .name }}/{{ $.name }}{{ end }}'

    assert rendered('{{ include "n" .Values }}', names) == "x/x"


def test_a_digest_is_of_the_text() -> None:
    assert rendered('{{ "" | sha256sum }}').startswith("e3b0c44298fc1c14")


@pytest.mark.parametrize(
    "source",
    ["{{ end }}", "{{ if .Values.on }}", "{{ lookup 1 2 }}", "{{ nothing }}", "{{ quote (list }}"],
)
def test_what_is_not_known_is_refused(source: str) -> None:
    with pytest.raises(TemplateError):
        rendered(source)
