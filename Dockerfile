# Gatehouse as an image that holds the binary, the libraries it links, CA certificates, and nothing else.
#
#   docker build -t gatehouse .
#   docker build --target test .                         unit and integration tests on this base
#   docker buildx build --platform linux/amd64,linux/arm64 -t gatehouse .
#
# The same sources, base and SOURCE_DATE_EPOCH give the same layer: see deploy/image/README.md.
ARG BASE=docker.io/library/debian:trixie-slim

FROM ${BASE} AS toolchain
# These lists alone first: the packages stay in the cache until one of them changes.
COPY deploy/install-packages /src/deploy/
COPY deploy/packages/build.txt deploy/packages/run.txt /src/deploy/packages/
RUN /src/deploy/install-packages build run && rm -rf /var/lib/apt/lists/*

FROM toolchain AS build
WORKDIR /src
COPY . .
ARG TARGETARCH
# CCACHE_DISABLE=1 compiles everything anew; JOBS bounds the compilers at work.
ARG CCACHE_DISABLE
ARG JOBS
RUN --mount=type=cache,target=/ccache,id=gatehouse-ccache-${TARGETARCH} \
    CCACHE_DIR=/ccache CCACHE_COMPILERCHECK=content deploy/image/compile

# Only with --target test.
FROM build AS test
RUN --mount=type=cache,target=/ccache,id=gatehouse-ccache-${TARGETARCH} \
    CCACHE_DIR=/ccache CCACHE_COMPILERCHECK=content deploy/image/run-tests

FROM build AS rootfs
ARG SOURCE_DATE_EPOCH=0
RUN deploy/image/make-rootfs /build/gatehouse /rootfs ${SOURCE_DATE_EPOCH}

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Gatehouse" \
      org.opencontainers.image.description="Reverse-proxy sidecar for one web app" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="scratch"
COPY --from=rootfs /rootfs/ /
# A number, so that Kubernetes' runAsNonRoot can tell; 65532 is what distroless images call nonroot.
USER 65532:65532
EXPOSE 8443 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["/usr/bin/gatehouse", "healthcheck", "--config", "/etc/gatehouse/gatehouse.yaml"]
ENTRYPOINT ["/usr/bin/gatehouse"]
CMD ["run", "--config", "/etc/gatehouse/gatehouse.yaml"]
