#include "app/arguments.h"
#include "app/commands.h"
#include "app/context.h"
#include "app/lake_files.h"
#include "io/real_env.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <unistd.h>

namespace {

using namespace questlog;

constexpr const char* default_config = "questlog.toml";

Result<app::Config> load_config(const std::optional<std::string>& named, const app::GivenSettings& given) {
    const std::string path = named.value_or(default_config);
    std::error_code fault;
    const auto found = std::filesystem::status(path, fault);
    if (found.type() == std::filesystem::file_type::not_found) {
        if (!named) {
            app::Config config = app::Config::builtin();
            config.kafka.client.bootstrap = given.kafka.value_or("");
            config.lake.root = given.lake.value_or(config.lake.root);
            return config;
        }
        return reject("there is no configuration {}; name a file that exists with --config", path);
    }
    std::ifstream file(path, std::ios::binary);
    if (std::filesystem::is_directory(found) || !file) // never the built-in game in the place of one that is meant
        return reject("cannot read the configuration {}: {}", path,
                      std::filesystem::is_directory(found) ? "it is a directory" : std::strerror(errno));
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    return app::parse_config(text, path, given);
}

Status run(const app::Invocation& invocation) {
    TRY(config, load_config(invocation.config, {invocation.kafka, invocation.lake}));
    io::RealEnv world;
    TRY(hdfs, app::open_hdfs(world.env(), config.lake, invocation.data));
    io::Env env = world.env();
    io::Files& files = hdfs ? static_cast<io::Files&>(*hdfs) : env.files;
    app::Context context{{env.clock, files, env.entropy}, std::move(config), invocation.data};
    context.progress = isatty(STDERR_FILENO) == 1;
    CHECK_OK(std::visit([&](const auto& arguments) { return app::run(context, arguments); }, invocation.command));
    return context.flush();
}

} // namespace

int main(int argc, char** argv) {
    const auto parsed = questlog::app::parse_arguments(argc, argv);
    if (const auto* answer = std::get_if<questlog::app::Answer>(&parsed)) {
        std::fputs(answer->text.c_str(), answer->exit_code == 0 ? stdout : stderr);
        return answer->exit_code;
    }
    std::signal(SIGXFSZ, SIG_IGN); // a file-size limit is an error of the write, like a full disk
    const auto status = run(std::get<questlog::app::Invocation>(parsed));
    if (status.ok()) return 0;
    std::fflush(stdout);
    std::fprintf(stderr, "questlog: %s\n", status.error().message.c_str());
    return questlog::exit_code_of(status.error().kind);
}
