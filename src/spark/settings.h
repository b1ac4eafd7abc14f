#pragma once

#include <string>
#include <utility>
#include <vector>

namespace questlog::spark {

/// How Spark is started, and how it reaches the cluster. docs/formats/config.md
struct Settings {
    using Properties = std::vector<std::pair<std::string, std::string>>;

    std::string master = "local[*]";     ///< As spark-submit's --master has it.
    std::string submit = "spark-submit"; ///< A program of PATH, or a path.
    Properties conf;                     ///< Spark's own, for --conf.
    std::vector<std::string> packages;   ///< Maven coordinates, for --packages.
    std::vector<std::string> jars;
    Properties kafka; ///< Of Kafka's Java client, which go before what is made of [kafka].
};

} // namespace questlog::spark
