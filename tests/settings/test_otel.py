"""OpenTelemetry's own variables, as other programs of the same machine read them."""

from pathlib import Path

import pytest

from gateway.settings.complaints import SettingsError
from gateway.settings.load import load
from gateway.settings.tracing import TracingSettings

AT = "http://collector:4318"


@pytest.fixture(autouse=True)
def _empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def said(**environ: str) -> TracingSettings:
    return load(None, environ).tracing


def test_the_variable_for_traces_goes_before_the_one_for_all_signals() -> None:
    tracing = said(
        OTEL_EXPORTER_OTLP_ENDPOINT="http://all:4318",
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{AT}/v1/traces",
        OTEL_EXPORTER_OTLP_HEADERS="a=1",
        OTEL_EXPORTER_OTLP_TRACES_HEADERS="b=2",
    )

    assert tracing.endpoint == f"{AT}/v1/traces"
    assert list(tracing.headers) == ["b"]


def test_an_empty_variable_is_an_unset_one() -> None:
    empty = ("ENDPOINT", "TRACES_ENDPOINT", "HEADERS")
    tracing = said(**{f"OTEL_EXPORTER_OTLP_{name}": "" for name in empty}, OTEL_SERVICE_NAME=" ")

    assert tracing == TracingSettings()


@pytest.mark.parametrize(
    ("sampler", "argument", "sample", "follow"),
    [
        ("always_on", "0.5", 1.0, False),
        ("always_off", "", 0.0, False),
        ("traceidratio", "0.25", 0.25, False),
        ("traceidratio", "", 1.0, False),
        ("parentbased_always_on", "", 1.0, True),
        ("parentbased_always_off", "", 0.0, True),
        ("ParentBased_TraceIdRatio", "0.1", 0.1, True),
    ],
)
def test_a_sampler_is_a_share_and_whether_callers_decide(
    sampler: str, argument: str, sample: float, follow: bool
) -> None:
    tracing = said(OTEL_TRACES_SAMPLER=sampler, OTEL_TRACES_SAMPLER_ARG=argument)

    assert (tracing.sample, tracing.follow) == (sample, follow)


@pytest.mark.parametrize(
    ("sampler", "argument", "complaint"),
    [
        ("xray", "", "OTEL_TRACES_SAMPLER: must be one of always_on, always_off, "),
        ("traceidratio", "1.5", "OTEL_TRACES_SAMPLER_ARG: "),
        ("traceidratio", "some", "OTEL_TRACES_SAMPLER_ARG: "),
    ],
)
def test_a_sampler_that_is_none_is_complained_of_by_its_variable(
    sampler: str, argument: str, complaint: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        said(OTEL_TRACES_SAMPLER=sampler, OTEL_TRACES_SAMPLER_ARG=argument)

    (sentence,) = caught.value.sentences()
    assert sentence.startswith(complaint)


@pytest.mark.parametrize(
    "off", [{"OTEL_SDK_DISABLED": "True"}, {"OTEL_TRACES_EXPORTER": "none"}], ids=str
)
def test_who_switches_tracing_off_everywhere_switches_it_off_here(off: dict[str, str]) -> None:
    here = {"GATEWAY_TRACING_ENDPOINT": AT}

    assert said(OTEL_EXPORTER_OTLP_ENDPOINT=AT, **off).endpoint is None
    assert said(**here, **off).endpoint == AT


def test_what_is_said_of_this_program_goes_before_what_is_said_of_all() -> None:
    tracing = said(
        GATEWAY_TRACING_SAMPLE="0.5",
        GATEWAY_TRACING_ENDPOINT=AT,
        OTEL_TRACES_SAMPLER="xray",
        OTEL_EXPORTER_OTLP_ENDPOINT="http://all:4318",
    )

    assert (tracing.sample, tracing.endpoint) == (0.5, AT)
