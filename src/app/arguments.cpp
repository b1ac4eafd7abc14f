#include "app/arguments.h"

#include "app/command_declarations.h"
#include "app/lake_section.h"
#include "duck/duck.h"
#include "kafka/settings.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace questlog::app {
namespace {

/// The innermost command that was named: where help and mistakes belong.
const CLI::App& innermost(const CLI::App& app) {
    const auto named = app.get_subcommands();
    return named.empty() ? app : innermost(*named.front());
}

std::string full_name(const CLI::App& command) {
    const CLI::App* parent = command.get_parent();
    return parent == nullptr ? command.get_name() : full_name(*parent) + " " + command.get_name();
}

Answer usage_error(const CLI::App& app, const CLI::ParseError& error) {
    const CLI::App& command = innermost(app);
    const auto words = app.remaining(true); // what no command takes
    std::string what = error.what();
    if (!words.empty() && words.front().starts_with('-'))
        what = fmt::format("there is no option {}", words.front());
    else if (!words.empty() && !command.get_subcommands({}).empty())
        what = fmt::format("there is no command {} {}", full_name(command), words.front());
    else if (words.empty() && command.get_parent() == nullptr)
        return Answer{2, app.help()};
    return Answer{2, fmt::format("questlog: {}\nTry: {} --help\n", what, full_name(command))};
}

} // namespace

std::variant<Invocation, Answer> parse_arguments(int argc, const char* const* argv) {
    Invocation invocation;
    CLI::App app{"questlog: a game's whole event pipeline in one binary", "questlog"};
    app.add_option("--data", invocation.data, "The data folder (default ./data)")->type_name("DIR");
    app.add_option("--config", invocation.config, "The configuration (default ./questlog.toml)")->type_name("FILE");
    app.add_option("--kafka", invocation.kafka, "The Kafka cluster (default: the configuration's, or none)")
        ->type_name("HOST:PORT[,...]")
        ->check([](const std::string& text) {
            const auto checked = kafka::check_bootstrap(text);
            return checked.ok() ? std::string() : checked.error().message;
        });
    app.add_option("--lake", invocation.lake, "Where the tables are (default: the configuration's, or lake in DIR)")
        ->type_name("DIR|hdfs://HOST:PORT/PATH")
        ->check([](const std::string& text) {
            const auto checked = check_lake_root(text);
            return checked.ok() ? std::string() : checked.error().message;
        });
    app.set_version_flag("--version",
                         fmt::format("questlog {} (DuckDB {})", QUESTLOG_VERSION, duck::library_version()));
    app.require_subcommand(1);
    app.footer("questlog COMMAND --help shows a command's options and examples.\n"
               "Exit codes: 0 done, 1 failed, 2 usage or configuration error.");
    const auto declared = declare_commands(app, invocation.command);

    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) { // the library's exceptions end here
        return Answer{0, app.help()};   // of the innermost command
    } catch (const CLI::CallForAllHelp&) {
        return Answer{0, app.help("", CLI::AppFormatMode::All)};
    } catch (const CLI::CallForVersion& version) {
        return Answer{0, std::string(version.what()) + "\n"};
    } catch (const CLI::ParseError& error) {
        return usage_error(app, error);
    }
    return invocation;
}

} // namespace questlog::app
