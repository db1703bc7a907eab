# A static executable in an empty image, as a user without rights.
#
#   docker build -t ringback .
#   docker run --network host -v ringback:/data ringback
#
# Sound takes thousands of UDP ports, which Docker forwards one process a port: use the host's network, or give
# --set rtp.ports a small range and publish that, with external_address set to the host's.

FROM golang:1.26 AS build
WORKDIR /src
ENV CGO_ENABLED=0
COPY go.mod go.sum ./
RUN go mod download
COPY cmd cmd
COPY pbx pbx
COPY features features
COPY media media
COPY web web
COPY migrations migrations
ARG VERSION=
RUN go build -trimpath -ldflags="-s -w -X main.version=$VERSION" -o /ringback ./cmd/ringback && install -d -m 700 /empty/data && install -d -m 1777 /empty/tmp

FROM scratch
COPY --from=build /ringback /ringback
COPY --from=build --chown=65532:65532 /empty/data /data
COPY --from=build /empty/tmp /tmp
USER 65532:65532
ENV RINGBACK_DATA=/data
VOLUME /data
EXPOSE 5060/udp 5060/tcp 5061/tcp 8080/tcp 20000-29999/udp
HEALTHCHECK --interval=30s --timeout=6s --start-period=10s CMD ["/ringback", "health"]
ENTRYPOINT ["/ringback"]
CMD ["serve"]
