ARG PYTHON_VERSION=3.13-slim

FROM python:${PYTHON_VERSION} AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY mockchat mockchat
COPY fixtures fixtures
RUN python -m venv /opt/mockchat \
 && /opt/mockchat/bin/pip install --no-cache-dir . \
 && /opt/mockchat/bin/pip uninstall --yes --quiet pip

FROM python:${PYTHON_VERSION}
COPY --from=build /opt/mockchat /opt/mockchat
RUN groupadd --gid 10001 mockchat \
 && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin mockchat \
 && install --directory --owner 10001 --group 10001 /data
ENV PATH=/opt/mockchat/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    MOCKCHAT_HOST=0.0.0.0 \
    MOCKCHAT_CA_DIR=/data
USER 10001:10001
VOLUME /data
EXPOSE 8080 8443
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s CMD ["mockchat", "health"]
ENTRYPOINT ["mockchat"]
CMD ["serve"]
