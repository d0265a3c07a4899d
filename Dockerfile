# A static binary on nothing. Reproducible: the same sources and Go version give the same bytes.
#
#   docker build -t drydock:0.1.0 .
FROM golang:1.26.8 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags='-s -w -buildid=' -o /out/drydock ./cmd/drydock

FROM scratch
COPY --from=build /out/drydock /drydock
COPY LICENSE /LICENSE
USER 65532:65532
ENTRYPOINT ["/drydock"]
