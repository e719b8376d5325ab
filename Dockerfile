# The base is pinned to a patch release; everything else comes from the hashed locks and this
# directory, so the same commit makes the same files.
ARG PYTHON=python:3.13.16-slim-trixie

FROM ${PYTHON} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1 SOURCE_DATE_EPOCH=1760000000
WORKDIR /src
# Wheels carry the symbols of whoever looks for bugs in them: half of what would be installed.
RUN command -v strip >/dev/null \
 || { apt-get update -qq && apt-get install -y -qq --no-install-recommends binutils; }
RUN python -m venv /opt/tiergate && python -m venv /opt/build
COPY requirements.lock requirements-build.lock ./
RUN /opt/tiergate/bin/pip install --no-compile --require-hashes -r requirements.lock \
 && /opt/build/bin/pip install --no-compile --require-hashes -r requirements-build.lock
# For the token counter in C; the image that runs has no compiler.
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends gcc libc6-dev
COPY pyproject.toml hatch_build.py README.md LICENSE NOTICE ./
COPY gateway gateway
# The built wheel is what runs. It is compiled once, so that a start does not; compiled files that are
# not checked against their source do not depend on the time of the build.
RUN /opt/build/bin/python -m hatchling build -t wheel -d /src/dist \
 && /opt/tiergate/bin/pip install --no-compile --no-deps /src/dist/*.whl \
 && /opt/tiergate/bin/pip uninstall --yes pip \
 && find /opt/tiergate/lib -type d -name tests -prune -exec rm -rf {} + \
 && find /opt/tiergate/lib -name '*.so' -exec strip --strip-unneeded {} + \
 && python -m compileall -q --invalidation-mode unchecked-hash /opt/tiergate/lib \
 && mkdir /data

FROM ${PYTHON}
COPY --from=build /opt/tiergate /opt/tiergate
# Without a store elsewhere, what must survive a restart is kept in /data.
COPY --from=build --chown=10001:10001 /data /data
ENV PATH=/opt/tiergate/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    GATEWAY_SERVER_HOST=0.0.0.0 \
    GATEWAY_STORE_DATA=/data
# A number, so that Kubernetes can see that it is not root.
USER 10001:10001
# Where a tiergate.yaml is looked for.
WORKDIR /etc/tiergate
VOLUME /data
EXPOSE 8080
# No init inside: the gateway takes SIGTERM itself and waits for the only children it starts, its own
# workers. (`docker run --init` and compose's `init: true` add one all the same.)
HEALTHCHECK --interval=5s --timeout=10s --retries=5 --start-period=20s \
  CMD ["python", "-ISs", "-c", "import socket; c = socket.create_connection(('127.0.0.1', 8080), 2); c.sendall(b'GET /healthz HTTP/1.0\\r\\n\\r\\n'); assert b' 200 ' in c.recv(64)"]
ENTRYPOINT ["tiergate"]
CMD ["serve"]
