# flowcli in a container; see docs/how-to/containers.md.
#
# Not built or run yet: there was no Docker where this was written.
#
#   docker build --tag flowcli .
#   docker build --tag flowcli:cuda --build-arg BASE=nvidia/cuda:13.0.1-base-ubuntu24.04 --build-arg TORCH=cu130 .
#
# BASE is an Ubuntu 24.04; TORCH is the build of torch: cpu, or cu130 and the like.

ARG BASE=ubuntu:24.04

FROM ${BASE}
ARG TORCH=cpu

RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*

# The dependencies first: this layer stays while only the code changes.
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY flowcli/version.py flowcli/__init__.py flowcli/
RUN python3 -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir uv \
    && python3 -m venv /opt/flowcli \
    && /opt/uv/bin/uv pip install --no-cache --python /opt/flowcli/bin/python --torch-backend "${TORCH}" \
        --constraint constraints.txt ".[exr,http,ray,s3,spring,tiff]"
COPY flowcli flowcli
RUN /opt/uv/bin/uv pip install --no-cache --python /opt/flowcli/bin/python --no-deps --reinstall-package flowcli . \
    && rm -rf /opt/uv

# Weights are not part of the image: mount a folder here, which user 1000 may write to.
ENV HF_HOME=/cache
RUN mkdir --parents /cache /work && chown 1000:1000 /cache /work
VOLUME /cache
# Ubuntu 24.04 has an ordinary user of this id.
USER 1000:1000
WORKDIR /work
ENTRYPOINT ["/opt/flowcli/bin/flowcli"]
CMD ["--help"]
