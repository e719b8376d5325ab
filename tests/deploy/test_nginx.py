"""The balancer's configuration: nginx accepts it, and it leaves streams alone."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gateway.settings.schema import Settings

CONFIGURATION = Path("deploy/nginx/nginx.conf")
TEXT = CONFIGURATION.read_text()


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
def test_nginx_accepts_it() -> None:
    found = subprocess.run(  # noqa: S603 - our own path
        ["nginx", "-t", "-q", "-c", str(CONFIGURATION.resolve())],  # noqa: S607 - wherever it is
        capture_output=True,
        text=True,
        check=False,
    )

    assert (found.returncode, found.stderr) == (0, "")


def test_a_stream_is_neither_held_back_nor_cut_short() -> None:
    read = re.search(r"proxy_read_timeout (\d+)s;", TEXT)

    assert "proxy_buffering off;" in TEXT
    assert "gzip off;" in TEXT
    assert read is not None
    assert int(read[1]) > Settings().upstream.total_timeout


def test_no_call_is_sent_twice() -> None:
    (tried,) = re.findall(r"proxy_next_upstream ([^;]+);", TEXT)

    assert tried.split() == ["error", "timeout"]


def test_it_takes_what_the_gateway_takes() -> None:
    (size,) = re.findall(r"client_max_body_size (\d+)m;", TEXT)

    assert int(size) * 2**20 == Settings().server.max_body
