# The one pin of Python and of the system below it.
ARG PYTHON_VERSION=3.13-slim-trixie

FROM python:${PYTHON_VERSION} AS build
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
# What is locked changes seldom: these two layers stay while the code changes.
COPY locks locks
RUN python -m venv --without-pip /opt/mockchat \
 && pip --python /opt/mockchat/bin/python install --require-hashes --requirement locks/run.txt
RUN python -m venv /opt/build \
 && /opt/build/bin/pip install --require-hashes --requirement locks/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY mockchat mockchat
COPY fixtures fixtures
ARG VERSION=
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir wheels . \
 && pip --python /opt/mockchat/bin/python install --no-deps wheels/*.whl \
 && /opt/mockchat/bin/mockchat --version | grep --fixed-strings --line-regexp \
      "mockchat ${VERSION:-$(/opt/mockchat/bin/mockchat --version | cut -d ' ' -f 2)}"

FROM python:${PYTHON_VERSION}
COPY --from=build /opt/mockchat /opt/mockchat
# Any user may write to /data, as to /tmp: `docker run --user` and OpenShift choose one of their own.
RUN groupadd --gid 10001 mockchat \
 && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin mockchat \
 && install --directory --mode 1777 --owner 10001 --group 10001 /data
# The modules are compiled at build time; whoever runs them has nowhere to write.
ENV PATH=/opt/mockchat/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MOCKCHAT_HOST=0.0.0.0 \
    MOCKCHAT_CA_DIR=/data
USER 10001:10001
VOLUME /data
EXPOSE 8080 8443
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=2s --timeout=3s --start-period=10s --retries=3 CMD ["mockchat", "health"]
ENTRYPOINT ["mockchat"]
CMD ["serve"]
