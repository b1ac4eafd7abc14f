#pragma once

#include "batch/engine.h"
#include "io/env.h"
#include "spark/work_order.h"

#include <functional>
#include <memory>
#include <string>

namespace questlog::spark {

struct EngineOptions {
    Settings settings;
    Source source;
    std::string folder;            ///< The data folder's part for Spark: its log, and scratch files.
    std::function<bool()> stopped; ///< Whether the user asked this process to end: then Spark is ended, too.
};

/// Spark, started by spark-submit with the first question. Writes nothing into a topic, and into the lake only where it
/// is told to. `env` must outlive it.
std::unique_ptr<batch::Engine> make_engine(io::Env env, EngineOptions options);

} // namespace questlog::spark
