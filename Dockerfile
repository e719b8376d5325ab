FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /src
RUN python -m venv /opt/tiergate && python -m venv /opt/build
COPY requirements.lock requirements-build.lock ./
RUN /opt/tiergate/bin/pip install --require-hashes -r requirements.lock \
 && /opt/build/bin/pip install --require-hashes -r requirements-build.lock
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY gateway gateway
# The built wheel is what runs; compiled once, so that a start does not.
RUN /opt/build/bin/python -m hatchling build -t wheel -d /src/dist \
 && /opt/tiergate/bin/pip install --no-deps /src/dist/*.whl \
 && /opt/tiergate/bin/pip uninstall --yes pip \
 && python -m compileall -q /opt/tiergate/lib

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home tiergate
COPY --from=build /opt/tiergate /opt/tiergate
ENV PATH=/opt/tiergate/bin:$PATH PYTHONUNBUFFERED=1 GATEWAY_SERVER_HOST=0.0.0.0
USER 10001
WORKDIR /etc/tiergate
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
ENTRYPOINT ["tiergate"]
CMD ["serve"]
