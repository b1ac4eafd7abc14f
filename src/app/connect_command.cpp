#include "app/commands.h"
#include "app/data_folder.h"
#include "app/lake_files.h"
#include "query/session.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <set>

/// `questlog connect TABLE --for TOOL`: the lines that read a table in another program.
namespace questlog::app {
namespace {

/// A string of Python, and of SQL where quotes are single.
std::string as_literal(const std::string& path, char quote) {
    std::string text(1, quote);
    for (const char c : path) {
        if (c == quote) text += quote == '\'' ? "'" : "\\";
        if (c == '\\' && quote == '"') text += '\\';
        text += c;
    }
    return text + quote;
}

struct TablePlace {
    std::string folder; ///< Absolute; on HDFS with its scheme and authority.
    bool is_delta = false;
    std::optional<WebHdfsAccess> webhdfs{}; ///< Of a lake on HDFS.
    std::string path_on_hdfs{};
};

/// The table's files in a folder of any name, as a pattern.
std::string pattern_of_files(const std::string& folder, bool is_delta) {
    std::string pattern;
    for (const char c : folder)
        if (c == '*' || c == '?' || c == '[')
            pattern += {'[', c, ']'};
        else
            pattern += c;
    return pattern + (is_delta ? "/date=*/*.parquet" : "/*.parquet");
}

/// Readers take the name of a folder above the table, env=prod, for a column, too.
bool has_folder_like_a_partition(const std::string& path) {
    return path.find('=') != std::string::npos;
}

bool is_plain_in_a_url(const std::string& path) {
    return std::all_of(path.begin(), path.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("-._~/").find(c) != std::string_view::npos;
    });
}

std::string select_files(const std::string& folder, bool is_delta) {
    const std::string files = as_literal(pattern_of_files(folder, is_delta), '\'');
    const bool is_misleading = has_folder_like_a_partition(folder);
    if (!is_delta)
        return fmt::format("SELECT * FROM read_parquet({}{})", files,
                           is_misleading ? ", hive_partitioning = false" : "");
    if (!is_misleading)
        return fmt::format("SELECT * FROM read_parquet({}, hive_partitioning = true, union_by_name = true)", files);
    return fmt::format(
        "SELECT * EXCLUDE (_file), CAST(regexp_extract(_file, 'date=([0-9-]+)/[^/]*$', 1) AS DATE) AS date "
        "FROM read_parquet({}, hive_partitioning = false, union_by_name = true, filename = '_file')",
        files);
}

/// DuckDB reads a Delta table with an extension that has to be downloaded; without it, the files that the log names.
std::string for_duckdb(const TablePlace& place) {
    const std::string select = select_files(place.folder, place.is_delta);
    if (!place.is_delta) return select + ";\n";
    return fmt::format("-- The files as they are now: each event once, whether or not a commit names its file yet.\n"
                       "{};\n"
                       "-- Or by Delta's log, with DuckDB's extension: INSTALL delta; LOAD delta;\n"
                       "-- SELECT * FROM delta_scan({});\n",
                       select, as_literal(place.folder, '\''));
}

std::string for_pandas(const TablePlace& place) {
    if (!place.is_delta)
        return fmt::format("import pandas\n\ntable = pandas.read_parquet({})\n", as_literal(place.folder, '"'));
    return fmt::format("# pip install deltalake pandas pyarrow\n"
                       "from deltalake import DeltaTable\n\n"
                       "table = DeltaTable({}).to_pandas()\n",
                       as_literal(place.folder, '"'));
}

/// Without pyarrow's dataset, which a program that ends soon after may abort in (Apache Arrow's issue 34314).
constexpr std::string_view frame_of_delta =
    "table = polars.DataFrame(QueryBuilder().register(\"t\", table).execute(\"SELECT * FROM t\"))\n";

std::string for_polars(const TablePlace& place) {
    if (!place.is_delta)
        return fmt::format("import polars\n\ntable = polars.read_parquet({})\n",
                           as_literal(pattern_of_files(place.folder, false), '"'));
    if (!is_plain_in_a_url(place.folder)) // read_delta() takes its path for a URL, and k=v in it for a column
        return fmt::format("# pip install polars deltalake\n"
                           "import polars\n"
                           "from deltalake import DeltaTable, QueryBuilder\n\n"
                           "table = DeltaTable({})\n"
                           "{}",
                           as_literal(place.folder, '"'), frame_of_delta);
    return fmt::format("# pip install polars deltalake\n"
                       "import polars\n\n"
                       "table = polars.read_delta({})   # or polars.scan_delta: reads only what a query needs\n",
                       as_literal(place.folder, '"'));
}

/// With a scheme: where Spark's own files are elsewhere, as HDFS's, ours are still those of this machine.
std::string for_spark(const TablePlace& place) {
    const std::string scheme = place.folder.starts_with('/') ? "file://" : ""; // HDFS's has its own
    const std::string folder = as_literal(scheme + place.folder, '"');
    if (!place.is_delta) return fmt::format("table = spark.read.parquet({})\n", folder);
    return fmt::format("# pyspark --packages io.delta:delta-spark_2.12:3.3.2 \\\n"
                       "#   --conf spark.sql.extensions=io.delta.sql.DeltaSparkSessionExtension \\\n"
                       "#   --conf spark.sql.catalog.spark_catalog=org.apache.spark.sql.delta.catalog.DeltaCatalog\n"
                       "table = spark.read.format(\"delta\").load({})\n"
                       "# Without Delta's packages: spark.read.option(\"mergeSchema\", True).parquet({})\n",
                       folder, folder);
}

/// The file system as fsspec has it, which asks WebHDFS: without Java, and without libhdfs.
std::string file_system(const TablePlace& place) {
    const std::string& namenode = place.webhdfs->namenode;
    const std::size_t colon = namenode.rfind(':');
    return fmt::format(R"(fsspec.filesystem("webhdfs", host={}, port={}, user={}))",
                       as_literal(namenode.substr(0, colon), '"'), namenode.substr(colon + 1),
                       as_literal(place.webhdfs->user, '"'));
}

/// deltalake has a client of its own for HDFS. What a URI would have to encode it does not find.
bool is_for_deltalake(const TablePlace& place) {
    return place.is_delta && is_plain_in_a_url(place.path_on_hdfs);
}

std::string delta_table(const TablePlace& place) {
    return fmt::format("os.environ.setdefault(\"HADOOP_USER_NAME\", {})\n"
                       "table = DeltaTable({})",
                       as_literal(place.webhdfs->user, '"'), as_literal(place.folder, '"'));
}

/// DuckDB's SQL knows no HDFS; in Python it takes the file systems of others. `as`: what is made of the answer.
std::string for_duckdb_on_hdfs(const TablePlace& place, std::string_view packages = {}, std::string_view as = {}) {
    const std::string sql = select_files("webhdfs://" + place.path_on_hdfs, place.is_delta);
    return fmt::format("# In Python: pip install duckdb fsspec requests{}\n"
                       "import duckdb\n"
                       "import fsspec\n\n"
                       "duckdb.register_filesystem({})\n"
                       "table = duckdb.sql({}){}\n",
                       packages, file_system(place), as_literal(sql, '"'), as);
}

std::string for_pandas_on_hdfs(const TablePlace& place) {
    if (!place.is_delta)
        return fmt::format("# pip install pandas pyarrow fsspec requests\n"
                           "import fsspec\n"
                           "import pandas\n\n"
                           "hdfs = {}\n"
                           "table = pandas.read_parquet({}, filesystem=hdfs)\n",
                           file_system(place), as_literal(place.path_on_hdfs, '"'));
    if (!is_for_deltalake(place)) return for_duckdb_on_hdfs(place, " pandas", ".df()");
    return fmt::format("# pip install deltalake pandas pyarrow\n"
                       "import os\n\n"
                       "from deltalake import DeltaTable\n\n"
                       "{}.to_pandas()\n",
                       delta_table(place));
}

std::string for_polars_on_hdfs(const TablePlace& place) {
    if (!place.is_delta)
        return fmt::format("# pip install polars pyarrow fsspec requests\n"
                           "import fsspec\n"
                           "import polars\n"
                           "import pyarrow.parquet\n\n"
                           "hdfs = {}\n"
                           "table = polars.from_arrow(pyarrow.parquet.read_table({}, filesystem=hdfs))\n",
                           file_system(place), as_literal(place.path_on_hdfs, '"'));
    if (!is_for_deltalake(place)) return for_duckdb_on_hdfs(place, " polars pyarrow", ".pl()");
    return fmt::format("# pip install polars deltalake\n"
                       "import os\n\n"
                       "import polars\n"
                       "from deltalake import DeltaTable, QueryBuilder\n\n"
                       "{}\n"
                       "{}",
                       delta_table(place), frame_of_delta);
}

Result<TablePlace> place_of(const Context& context, DataFolder& folder, const std::string& table) {
    const auto at = [&](const std::string& path, bool is_delta) -> Result<TablePlace> {
        const std::string whole = context.lake_root() + "/" + path;
        if (!context.config.lake.is_on_hdfs())
            return TablePlace{std::filesystem::absolute(whole).lexically_normal().string(), is_delta};
        TRY(access, webhdfs_access(context.config.lake));
        TRY(uri, hdfs::parse_hdfs_uri(whole));
        return TablePlace{whole, is_delta, std::move(access), std::move(uri.path)};
    };
    for (const scan::TableDeclaration& declared : folder.world().tables) {
        if (declared.name != table || declared.path.empty()) continue;
        TRY(snapshot, folder.lake().open(declared.path));
        if (!snapshot) return reject("table {} was never landed: run {}", table, folder.world().batch_command(table));
        return at(declared.path, false);
    }
    TRY(names, folder.continuous().names());
    if (!std::binary_search(names.begin(), names.end(), table)) {
        std::set<std::string> all(names.begin(), names.end());
        for (const scan::TableDeclaration& declared : folder.world().tables)
            if (!declared.path.empty()) all.insert(declared.name);
        std::string known;
        for (const std::string& name : all) known += (known.empty() ? "" : ", ") + name;
        return reject("there is no landed table {}; there are {} (`questlog land --once` lands what is new)", table,
                      known);
    }
    return at(fmt::format("{}/{}", lake::continuous_folder, table), true);
}

} // namespace

Status run(const Context& context, const ConnectArguments& arguments) {
    TRY(folder, DataFolder::open(context));
    TRY(place, place_of(context, *folder, arguments.table));
    const bool is_on_hdfs = place.webhdfs.has_value();
    if (arguments.tool == "duckdb") return context.print(is_on_hdfs ? for_duckdb_on_hdfs(place) : for_duckdb(place));
    if (arguments.tool == "pandas") return context.print(is_on_hdfs ? for_pandas_on_hdfs(place) : for_pandas(place));
    if (arguments.tool == "polars") return context.print(is_on_hdfs ? for_polars_on_hdfs(place) : for_polars(place));
    return context.print(for_spark(place));
}

} // namespace questlog::app
