# The images of compose.yaml. What is installed is what scripts/setup and cluster/up install without Docker.

FROM debian:bookworm-slim AS debian
WORKDIR /questlog
ENV PATH=/questlog/cluster/bin:$PATH

# Engines: Kafka, ZooKeeper, HDFS, Spark, JupyterLab, downloaded as cluster/artifacts.toml pins them.
FROM debian AS cluster
COPY scripts/setup scripts/setup
COPY cluster cluster
RUN cluster/up --fetch-only && rm -rf /root/.cache /var/lib/apt/lists/*

# questlog: built here, as a Debian package.
FROM debian AS build
RUN apt-get update && apt-get install -y --no-install-recommends make ca-certificates
COPY . .
RUN make package && mv dist/questlog_*.deb questlog.deb

FROM debian AS questlog
COPY --from=build /questlog/questlog.deb /tmp/questlog.deb
RUN apt-get update && apt-get install -y --no-install-recommends python3 /tmp/questlog.deb \
    && rm -rf /tmp/questlog.deb /var/lib/apt/lists/*
COPY cluster cluster

# The tool box.
FROM debian AS tools
RUN apt-get update && apt-get install -y --no-install-recommends apache2-utils curl jq kcat vim-tiny \
    && ln -s kcat /usr/bin/kafkacat && rm -rf /var/lib/apt/lists/*
