# One image for every service; docker-compose.yml says which command each one runs.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
RUN python -m venv /opt/wtb/venv
ENV PATH=/opt/wtb/venv/bin:$PATH
COPY requirements.lock /tmp/requirements.lock
RUN --mount=type=cache,target=/var/cache/pip \
    pip install --cache-dir /var/cache/pip --require-hashes --no-deps --requirement /tmp/requirements.lock
WORKDIR /opt/wtb/app
COPY . .
# The lock also holds the build backend, so nothing is fetched without a hash. The editable
# install keeps the migrations where the package expects them: beside it.
RUN pip install --no-build-isolation --no-deps --editable .

FROM ${PYTHON_IMAGE}
RUN groupadd --gid 10001 wtb && useradd --uid 10001 --gid wtb --create-home wtb
# A new volume takes over the owner of the folder on which it is mounted.
RUN install --directory --owner=wtb --group=wtb /var/lib/wtb/files
COPY --from=build /opt/wtb /opt/wtb
ENV PATH=/opt/wtb/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
# Python looks for modules in the working folder first, so it must be one without any.
WORKDIR /home/wtb
