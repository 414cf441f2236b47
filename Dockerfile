# Everything that csbsr needs, on the CPU or on a GPU. The steps are those of docs/installation.md.
#   docker build -t csbsr .
#   docker build -t csbsr --build-arg BASE=nvidia/cuda:13.0.1-runtime-ubuntu24.04 --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu130 .
#   docker run --rm csbsr info
#   docker run --rm --gpus all -v "$PWD:/work" csbsr train quickstart
ARG BASE=python:3.12-slim
FROM ${BASE}
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN if ! command -v python3 >/dev/null || ! python3 -c 'import venv, ensurepip' 2>/dev/null; then \
      apt-get update && apt-get install -y --no-install-recommends python3 python3-venv && rm -rf /var/lib/apt/lists/*; \
    fi
WORKDIR /opt/csbsr_mm
COPY . .
ENV VENV=/opt/venv PIP_NO_CACHE_DIR=1 PIP_EXTRA_INDEX_URL=${TORCH_INDEX}
RUN python3 tools/setup_env.py run && ln -s /opt/venv/bin/csbsr /usr/local/bin/csbsr
WORKDIR /work
ENTRYPOINT ["csbsr"]
CMD ["--help"]
