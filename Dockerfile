# The one pin of Python and of the system below it.
ARG PYTHON_VERSION=3.13-slim-trixie

FROM python:${PYTHON_VERSION} AS build
ENV PIP_NO_CACHE_DIR=1 \
    PIP_NO_COMPILE=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
# What is locked changes seldom: these layers stay while the code changes.
COPY locks locks
RUN python -m venv --without-pip /opt/mockchat \
 && pip --python /opt/mockchat/bin/python install --require-hashes --requirement locks/run.txt
RUN python -m venv /opt/build \
 && /opt/build/bin/pip install --require-hashes --requirement locks/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY mockchat mockchat
COPY fixtures fixtures
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir wheels . \
 && pip --python /opt/mockchat/bin/python install --no-deps wheels/*.whl
# Bytecode that is believed without a look at the sources' times, which a copy may change, halves
# the start. Nobody needs that of Faker's other languages.
RUN /opt/mockchat/bin/python -m compileall -q --invalidation-mode unchecked-hash \
      -x '/faker/providers/.*/(?!en_US/)[a-z]{2,3}_[A-Z][A-Za-z]' /opt/mockchat/lib
ARG VERSION=unknown
RUN [ "$VERSION" = unknown ] || [ "$(/opt/mockchat/bin/mockchat --version)" = "mockchat $VERSION" ]

FROM python:${PYTHON_VERSION}
COPY --from=build /opt/mockchat /opt/mockchat
# Everybody may write to /data, as to /tmp: `docker run --user` and OpenShift choose the user.
RUN groupadd --gid 10001 mockchat \
 && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin mockchat \
 && install --directory --mode 1777 --owner 10001 --group 10001 /data
ENV PATH=/opt/mockchat/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MOCKCHAT_HOST=0.0.0.0 \
    MOCKCHAT_CA_DIR=/data
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080 8443
STOPSIGNAL SIGTERM
# A service container is waited for until it is healthy, and the first look comes after an interval.
HEALTHCHECK --interval=2s --timeout=5s --start-period=10s --retries=5 CMD ["mockchat", "health"]
ENTRYPOINT ["mockchat"]
CMD ["serve"]
# The workflow that publishes knows these; `make image` gives the first two.
ARG VERSION=unknown
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="mockchat" \
      org.opencontainers.image.description="A local stand-in for CometChat's user and authentication service" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
