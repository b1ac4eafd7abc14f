#include "duck/native.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace questlog::duck {

namespace {

class NativeDatabase final : public Database {
public:
    explicit NativeDatabase(std::shared_ptr<native::Instance> instance) : instance_(std::move(instance)) {}

    Result<std::unique_ptr<Connection>> connect() override {
        auto link = std::make_shared<native::Link>(instance_);
        if (duckdb_connect(instance_->database, &link->connection) != DuckDBSuccess)
            return internal("DuckDB refused a connection");
        auto connection = native::make_connection(std::move(link));
        CHECK_OK(connection->execute("SET TimeZone = 'UTC'"));
        return connection;
    }

private:
    std::shared_ptr<native::Instance> instance_;
};

Status configure(native::Config& config, const DatabaseOptions& options) {
    if (duckdb_create_config(config.out()) != DuckDBSuccess) return internal("DuckDB gave no configuration");
    std::vector<std::pair<const char*, std::string>> settings{
        {"threads", fmt::format("{}", std::max(1, options.threads))},
        {"temp_directory", options.temp_directory},
        {"autoinstall_known_extensions", "false"},
        {"autoload_known_extensions", "false"},
        {"enable_external_file_cache", "false"}, // it trusts a path's modification time; tables are replaced under it
        {"preserve_insertion_order", "true"},
    };
    if (!options.memory_limit.empty()) settings.emplace_back("memory_limit", options.memory_limit);
    for (const auto& [name, value] : settings)
        if (duckdb_set_config(config.get(), name, value.c_str()) != DuckDBSuccess)
            return reject("DuckDB does not take {} = {}", name, quote_literal(value));
    return {};
}

[[nodiscard]] std::string quoted(std::string_view text, char quote) {
    std::string out(1, quote);
    for (const char c : text) {
        if (c == quote) out += quote;
        out += c;
    }
    return out + quote;
}

} // namespace

Result<std::shared_ptr<Database>> Database::open(const DatabaseOptions& options) {
    native::Config config;
    CHECK_OK(configure(config, options));
    auto instance = std::make_shared<native::Instance>();
    char* message = nullptr;
    if (duckdb_open_ext(nullptr, &instance->database, config.get(), &message) != DuckDBSuccess) {
        const Error error = native::error_of(message);
        duckdb_free(message);
        return error.within("opening DuckDB");
    }
    native::Link link(instance);
    if (duckdb_connect(instance->database, &link.connection) != DuckDBSuccess)
        return internal("DuckDB refused a connection");
    CHECK_OK(native::register_rows_function(link.connection, instance->registry));
    return std::shared_ptr<Database>(std::make_shared<NativeDatabase>(instance));
}

std::string quote_identifier(std::string_view name) {
    return quoted(name, '"');
}
std::string quote_literal(std::string_view text) {
    return quoted(text, '\'');
}
std::string read_parquet(const std::vector<std::string>& files, ParquetColumns columns) {
    std::string list;
    for (const std::string& file : files) list += (list.empty() ? "" : ", ") + quote_literal(file);
    return fmt::format("read_parquet([{}], hive_partitioning = false{})", list,
                       columns == ParquetColumns::of_all ? ", union_by_name = true" : "");
}
std::string_view library_version() {
    return duckdb_library_version();
}

} // namespace questlog::duck
