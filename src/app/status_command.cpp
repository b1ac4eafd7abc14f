#include "app/commands.h"
#include "app/data_folder.h"
#include "query/status.h"

/// `questlog status`: the log, the tables, and whether the books balance.
namespace questlog::app {

Status run(const Context& context, const StatusArguments& arguments) {
    TRY(folder, DataFolder::open(context));
    TRY(report, query::status(folder->world()));
    CHECK_OK(context.print(arguments.json ? query::status_json(report) : query::status_text(report)));
    if (!report.sound()) {
        CHECK_OK(context.flush());
        return internal("something is wrong with the data: see the report above");
    }
    return {};
}

} // namespace questlog::app
