#include "app/commands.h"
#include "app/data_folder.h"
#include "query/session.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

/// `questlog connect TABLE --for TOOL`: the lines that read a table in another program.
namespace questlog::app {
namespace {

/// A string of Python, and of SQL where quotes are single.
std::string quoted(const std::string& path, char quote) {
    std::string text(1, quote);
    for (const char c : path) {
        if (c == quote) text += quote == '\'' ? "'" : "\\";
        if (c == '\\' && quote == '"') text += '\\';
        text += c;
    }
    return text + quote;
}

struct Place {
    std::string folder;             ///< Absolute.
    std::vector<std::string> files; ///< As a Delta table has them now; empty: it is none.
    bool is_delta = false;
};

/// DuckDB reads a Delta table with an extension that has to be downloaded; without it, the files that the log names.
std::string for_duckdb(const Place& place) {
    if (!place.is_delta)
        return fmt::format("SELECT * FROM read_parquet({});\n", quoted(place.folder + "/*.parquet", '\''));
    return fmt::format("-- The files as they are now: each event once, whether or not a commit names its file yet.\n"
                       "SELECT * FROM read_parquet({}, hive_partitioning = true, union_by_name = true);\n"
                       "-- Or by Delta's log, with DuckDB's extension: INSTALL delta; LOAD delta;\n"
                       "-- SELECT * FROM delta_scan({});\n",
                       quoted(place.folder + "/date=*/*.parquet", '\''), quoted(place.folder, '\''));
}

std::string for_pandas(const Place& place) {
    if (!place.is_delta)
        return fmt::format("import pandas\n\ntable = pandas.read_parquet({})\n", quoted(place.folder, '"'));
    return fmt::format("# pip install deltalake pandas pyarrow\n"
                       "from deltalake import DeltaTable\n\n"
                       "table = DeltaTable({}).to_pandas()\n",
                       quoted(place.folder, '"'));
}

std::string for_polars(const Place& place) {
    if (!place.is_delta)
        return fmt::format("import polars\n\ntable = polars.read_parquet({})\n",
                           quoted(place.folder + "/*.parquet", '"'));
    return fmt::format("# pip install polars deltalake\n"
                       "import polars\n\n"
                       "table = polars.read_delta({})   # or polars.scan_delta: reads only what a query needs\n",
                       quoted(place.folder, '"'));
}

/// With a scheme: where Spark's own files are elsewhere, as HDFS's, ours are still those of this machine.
std::string for_spark(const Place& place) {
    const std::string scheme = place.folder.starts_with('/') ? "file://" : ""; // HDFS's has its own
    const std::string folder = quoted(scheme + place.folder, '"');
    if (!place.is_delta) return fmt::format("table = spark.read.parquet({})\n", folder);
    return fmt::format("# pyspark --packages io.delta:delta-spark_2.12:3.3.2 \\\n"
                       "#   --conf spark.sql.extensions=io.delta.sql.DeltaSparkSessionExtension \\\n"
                       "#   --conf spark.sql.catalog.spark_catalog=org.apache.spark.sql.delta.catalog.DeltaCatalog\n"
                       "table = spark.read.format(\"delta\").load({})\n"
                       "# Without Delta's packages: spark.read.option(\"mergeSchema\", True).parquet({})\n",
                       folder, folder);
}

Result<Place> place_of(const Context& context, DataFolder& folder, const std::string& table) {
    const auto absolute = [&](const std::string& path) {
        if (context.config.lake.is_on_hdfs()) return path;
        return std::filesystem::absolute(path).lexically_normal().string();
    };
    for (const scan::TableDeclaration& declared : folder.world().tables) {
        if (declared.name != table || declared.path.empty()) continue;
        TRY(snapshot, folder.lake().open(declared.path));
        if (!snapshot) return reject("table {} was never landed: run {}", table, folder.world().batch_command(table));
        return Place{absolute(context.lake_root() + "/" + declared.path), {}, false};
    }
    TRY(names, folder.continuous().names());
    if (!std::binary_search(names.begin(), names.end(), table)) {
        std::string known;
        for (const scan::TableDeclaration& declared : folder.world().tables)
            if (!declared.path.empty()) known += (known.empty() ? "" : ", ") + declared.name;
        for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
        return reject("there is no landed table {}; there are {} (`questlog land --once` lands what is new)", table,
                      known);
    }
    return Place{absolute(fmt::format("{}/{}/{}", context.lake_root(), lake::continuous_folder, table)), {}, true};
}

} // namespace

Status run(const Context& context, const ConnectArguments& arguments) {
    TRY(folder, DataFolder::open(context));
    TRY(place, place_of(context, *folder, arguments.table));
    if (arguments.tool == "duckdb") return context.print(for_duckdb(place));
    if (arguments.tool == "pandas") return context.print(for_pandas(place));
    if (arguments.tool == "polars") return context.print(for_polars(place));
    return context.print(for_spark(place));
}

} // namespace questlog::app
