"""Images that stand in for those of a registry, made of Debian's packages, under the same tags.

An engine of our own may have no registry to ask. What matters of an image here is its program, the
user it runs as, and the tools its health check calls; these are as in the real one. Grafana is not
in Debian: its stand-in only says that it is well, and is used by this proof alone.
"""

import json
import os
import re
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.compose.engine import Engine
from tests.compose.machine import ANY_AGE, sources
from tests.compose.shell import run, timed

COMPOSE = Path("docker-compose.yml")
DOCKERFILE = Path("Dockerfile")
SHELL_TOOLS = "ln -s /bin/busybox /usr/local/bin/wget"


@dataclass(frozen=True)
class Base:
    """A root file system: a suite of Debian and the packages in it."""

    suite: str
    packages: tuple[str, ...]

    @property
    def tag(self) -> str:
        """What its image is called."""
        return f"standin:{self.suite}"


# Python 3.13 is in the one, newer servers are in the other.
PYTHON = Base("trixie", ("binutils", "ca-certificates", "python3", "python3-venv"))
SERVERS = Base("testing", ("busybox", "nginx-light", "prometheus", "promtool", "redis-server"))

# By the image's name without its tag: the base, and what is done to it.
RECIPES = {
    "python": (
        PYTHON,
        """\
COPY certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY pip.conf /etc/pip.conf
RUN ln -s /usr/bin/python3 /usr/local/bin/python && ln -s /usr/bin/python3 /usr/local/bin/python3
""",
    ),
    "redis": (
        SERVERS,
        """\
RUN mkdir -p /data && chown redis:redis /data
WORKDIR /data
""",
    ),
    "prom/prometheus": (
        SERVERS,
        """\
RUN mkdir -p /prometheus && chown nobody /prometheus
ENTRYPOINT ["/usr/bin/prometheus"]
""",
    ),
    "nginxinc/nginx-unprivileged": (
        SERVERS,
        f"""\
RUN {SHELL_TOOLS}
CMD ["nginx", "-g", "daemon off;"]
STOPSIGNAL SIGQUIT
""",
    ),
    "grafana/grafana": (
        SERVERS,
        f"""\
RUN {SHELL_TOOLS} && mkdir -p /srv/api /var/lib/grafana \\
 && chown 472 /var/lib/grafana && echo '{{"database": "ok"}}' >/srv/api/health
CMD ["busybox", "httpd", "-f", "-p", "3000", "-h", "/srv"]
""",
    ),
}


def wanted() -> list[str]:
    """The images that are to be had from elsewhere, as the project's own files name them."""
    services = re.findall(r"^\s+image: (\S+)$", COMPOSE.read_text(), re.MULTILINE)
    base = re.findall(r"^ARG PYTHON=(\S+)$", DOCKERFILE.read_text(), re.MULTILINE)
    return sorted({*base, *services} - {"tiergate:local"})


def provide(engine: Engine, place: Path) -> None:
    """Make every wanted image that is not there."""
    for image in wanted():
        base, recipe = RECIPES[image.rpartition(":")[0]]
        if engine.has_image(image):
            continue
        _import(engine, base, place)
        with timed(f"stand-in for {image}"), tempfile.TemporaryDirectory() as context:
            _fill(Path(context))
            Path(context, "Dockerfile").write_text(f"FROM {base.tag}\n{recipe}")
            engine.docker(
                "buildx", "build", "--quiet", "--network", "host", "--tag", image, context
            )


def _import(engine: Engine, base: Base, place: Path) -> None:
    if engine.has_image(base.tag):
        return
    archive = place / f"{base.suite}.tar"
    with timed(f"Debian {base.suite} with {', '.join(base.packages)}"):
        packages = ",".join(base.packages)
        listed = str(sources(place, base.suite))
        command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--aptopt={ANY_AGE}"]
        run([*command, f"--include={packages}", base.suite, str(archive), listed])
        engine.docker("import", str(archive), base.tag)
        archive.unlink()


def _fill(context: Path) -> None:
    """What pip needs to reach the same index as pip here does."""
    trusted = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    bundle = Path(trusted or "/etc/ssl/certs/ca-certificates.crt")
    (context / "certificates.crt").write_bytes(bundle.read_bytes() if bundle.exists() else b"")
    lines = ["[global]", "cert = /etc/ssl/certs/ca-certificates.crt"]
    if index := os.environ.get("PIP_INDEX_URL"):
        lines.append(f"index-url = {index}")
    (context / "pip.conf").write_text("\n".join([*lines, ""]))


def size(engine: Engine, image: str) -> int:
    """Bytes of an image, all its layers together."""
    found = json.loads(engine.docker("image", "inspect", image))
    return int(found[0]["Size"])
