#include "app/commands.h"
#include "app/data_folder.h"
#include "app/landing_stage.h"
#include "base/plural.h"
#include "batch/lander.h"
#include "event/json_string.h"

#include <fmt/format.h>

/// `questlog land`: the continuous tables, by a process of its own.
namespace questlog::app {
namespace {

constexpr std::chrono::milliseconds look_interval{250};

std::string cut_text(const std::string& topic, const batch::LandedCut& landed) {
    std::int64_t rows = 0;
    for (const auto& [table, count] : landed.tables) rows += count;
    std::string text = fmt::format("{} [{}] offsets {}..{}: {} in {}", topic, landed.partition, landed.cut.from,
                                   landed.cut.to.plus(-1), plural(rows, "event"),
                                   plural(static_cast<std::int64_t>(landed.tables.size()), "table"));
    if (landed.dead_letters > 0) text += fmt::format(", {}", plural(landed.dead_letters, "dead letter"));
    if (landed.repeats > 0) text += fmt::format(", {}", plural(landed.repeats, "duplicate"));
    return text + "\n";
}

std::string cut_json(const std::string& topic, const batch::LandedCut& landed) {
    std::string tables;
    for (const auto& [table, rows] : landed.tables)
        tables += fmt::format("{}{}: {}", tables.empty() ? "" : ", ", event::json_string(table), rows);
    return fmt::format(
        "{{\"topic\": {}, \"partition\": {}, \"from\": {}, \"to\": {}, \"date\": {}, \"tables\": {{{}}}, "
        "\"dead_letters\": {}, \"duplicates\": {}}}\n",
        event::json_string(topic), landed.partition, landed.cut.from, landed.cut.to,
        event::json_string(landed.cut.date), tables, landed.dead_letters, landed.repeats);
}

} // namespace

Status run(const Context& context, const LandArguments& arguments) {
    TRY(folder, DataFolder::open(context));
    TRY(topic, folder->topics().find(arguments.topic.value_or(context.config.topic)));
    TRY(reader,
        folder->topics().open(topic, [&](const std::string& what) { context.notice("questlog: recovery: " + what); }));
    stop_on_signals();
    if (arguments.once) CHECK_OK(await_forwarding(context, *reader));
    std::int64_t events = 0;
    std::int64_t stopped = 0;
    Status printed;
    std::unique_ptr<kafka::GroupMember> group; // once alone lands all there is, whoever else does
    if (!arguments.once) {
        TRY(joined, join_landers(context.config, topic.name));
        group = std::move(joined);
    }
    batch::LandingEvents told;
    told.on_cut = [&](const batch::LandedCut& cut) {
        if (group != nullptr) group->tell(cut.partition, cut.cut.to);
        events += cut.records;
        printed = context.print(arguments.json ? cut_json(topic.name, cut) : cut_text(topic.name, cut));
        if (printed.ok()) printed = context.flush();
    };
    told.on_stopped = [&](const std::string& table, const Error& why) {
        ++stopped;
        context.notice(fmt::format("questlog: nothing more is landed in table {}: {}", table, why.message));
    };
    told.on_resumed = [&](const std::string& table) {
        context.notice(fmt::format("questlog: table {} has all its events again", table));
    };
    batch::LandingOptions options = landing_options(context.config);
    options.stop = [&] { return stop_requested() || !printed.ok(); };
    if (group != nullptr) options.has = [&](Partition partition) { return group->has(partition); };
    batch::Lander lander(
        {context.env, *reader, folder->continuous(), [&]() -> Result<duck::Database*> { return &folder->database(); }},
        std::move(options), std::move(told));
    if (arguments.once) {
        CHECK_OK(lander.land_all());
        CHECK_OK(printed);
        if (events == 0 && !arguments.json) CHECK_OK(context.print("nothing new to land\n"));
        if (stopped > 0) return internal("{} could not be landed: see above", plural(stopped, "table"));
        return {};
    }
    std::string waiting_for;
    while (!stop_requested() && printed.ok()) {
        const Status done = lander.land_due();
        if (!done.ok() && done.error().kind != ErrorKind::retry_later) return done;
        const std::string why = done.ok() ? std::string() : done.error().message;
        if (!why.empty() && why != waiting_for) context.notice("questlog: landing waits: " + why);
        waiting_for = why;
        context.env.clock.sleep(look_interval);
    }
    return printed;
}

} // namespace questlog::app
