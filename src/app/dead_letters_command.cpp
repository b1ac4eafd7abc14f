#include "app/commands.h"
#include "app/data_folder.h"
#include "query/output.h"
#include "query/session.h"

#include <fmt/format.h>

/// `questlog dead-letters`: what no table takes, and why.
namespace questlog::app {

Status run(const Context& context, const DeadLettersArguments& arguments) {
    const auto format = query::format_named(arguments.format);
    if (!format || *format == query::Format::parquet)
        return reject("--format {} is not known here; write table, csv or json", arguments.format);
    TRY(folder, DataFolder::open(context));
    query::Session session(folder->world(), {});
    const std::string where =
        arguments.reason ? fmt::format(" WHERE reason = {}", duck::quote_literal(*arguments.reason)) : "";
    // Text where the bytes are, else with its odd bytes as \xNN.
    return query::run_sql(folder->world(), session,
                          fmt::format("SELECT topic, \"partition\", \"offset\", \"timestamp\", reason, "
                                      "coalesce(TRY(decode(value)), value::VARCHAR) AS value FROM dead_letters{} "
                                      "ORDER BY topic, \"partition\", \"offset\"",
                                      where),
                          *format, [&](std::string_view bytes) { return context.print(bytes); });
}

} // namespace questlog::app
