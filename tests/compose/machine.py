"""What a machine without a running Docker Engine needs, from Debian's packages alone.

Refuses machines that are not Debian, and whoever is not root there: an engine of one's own needs
both. What is fetched stays in one directory.
"""

import os
import shutil
from pathlib import Path

from tests.compose.shell import CannotTry, run, succeeds, timed

# What is run, and the package it comes in.
NEEDED = {
    "dockerd": "docker.io",
    "docker": "docker.io",
    "iptables": "iptables",
    "mmdebstrap": "mmdebstrap",
    "unshare": "util-linux",
    "ip": "iproute2",
}
# Debian's stable release has no Compose v2; these are self-contained programs.
PLUGINS = {"docker-compose": "docker-compose", "docker-buildx": "docker-buildx"}
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
# A mirror may be some weeks behind; its signatures are checked all the same.
ANY_AGE = 'Acquire::Check-Valid-Until "false"'


def running_engine() -> bool:
    """Whether a Docker Engine with Compose v2 answers already."""
    return succeeds(["docker", "info"]) and succeeds(["docker", "compose", "version"])


def prepare(place: Path) -> None:
    """Install what is missing, and put Docker's plugins into `place`.

    Raises:
        CannotTry: this is no Debian, or we are not root.
    """
    if os.geteuid() or not Path("/etc/debian_version").exists():
        message = (
            "No Docker Engine with Compose v2 answers (`docker info`, `docker compose version`). "
            "Start one, or run this as root on Debian, where it sets one up for itself."
        )
        raise CannotTry(message)
    missing = sorted({package for tool, package in NEEDED.items() if shutil.which(tool) is None})
    if missing:
        with timed(f"apt-get install {' '.join(missing)}"):
            quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            run(["apt-get", "update", "-qq"], environ=quiet)
            install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends"]
            run([*install, *missing], environ=quiet)
    if not all((place / "cli-plugins" / name).exists() for name in PLUGINS):
        with timed("Compose v2 and buildx"):
            _plugins(place)


def sources(place: Path, suite: str) -> Path:
    """A list of sources with one suite, at the mirror this machine uses."""
    listed = place / f"{suite}.sources"
    listed.write_text(
        f"Types: deb\nURIs: {_mirror()}\nSuites: {suite}\nComponents: main\nSigned-By: {KEYRING}\n"
    )
    return listed


def _mirror() -> str:
    """Where this machine's own packages come from."""
    ask = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Origin: Debian"]
    for known in (True, False):
        if not known:
            run(["apt-get", "update", "-qq"])
        for address in run(ask).splitlines():
            if "security" not in address:
                return address
    message = "apt knows no mirror of Debian"
    raise CannotTry(message)


def _plugins(place: Path) -> None:
    lists = place / "lists"
    (lists / "partial").mkdir(parents=True, exist_ok=True)
    apart = [
        *("-o", f"Dir::Etc::sourcelist={sources(place, 'testing')}"),
        *("-o", "Dir::Etc::sourceparts=-"),
        *("-o", f"Dir::State::lists={lists}"),
        *("-o", "Acquire::Check-Valid-Until=false"),
        *("-o", "APT::Sandbox::User=root"),
    ]
    run(["apt-get", "-qq", *apart, "update"])
    unpacked = place / "unpacked"
    shutil.rmtree(unpacked, ignore_errors=True)
    unpacked.mkdir()
    script = f"cd {unpacked} && apt-get -qq {' '.join(apart)} download {' '.join(PLUGINS.values())}"
    run(["sh", "-c", script])
    plugins = place / "cli-plugins"
    plugins.mkdir(exist_ok=True)
    for package in unpacked.glob("*.deb"):
        run(["dpkg", "-x", str(package), str(unpacked)])
    for name in PLUGINS:
        found = next(
            path for path in unpacked.rglob(name) if path.is_file() and path.stat().st_mode & 1
        )
        shutil.copy2(found, plugins / name)
    shutil.rmtree(unpacked)
