#include "app/commands.h"
#include "app/data_folder.h"
#include "log/repair.h"
#include "log/verify.h"
#include "query/row_text.h"

#include <fmt/format.h>

/// `questlog log verify` and `questlog log repair`: is the log what it was, and if not, what is left of it.
namespace questlog::app {
namespace {

std::string json_quoted(std::string_view text) {
    std::string out;
    query::append_json(out, text);
    return out;
}

std::string offsets_text(Offset from, Offset to) {
    if (from == to) return {};
    return fmt::format(", offset{} {}", to.minus(from) == 1 ? "" : "s",
                       to.minus(from) == 1 ? fmt::to_string(from.value) : fmt::format("{}..{}", from, to.plus(-1)));
}

std::string fault_text(const log::LogFault& fault) {
    std::string where = fault.path;
    if (fault.byte) where += fmt::format(" byte {}", *fault.byte);
    if (fault.bytes > 0) where += fmt::format(", {} bytes", fault.bytes);
    return fmt::format("DAMAGED {}{}: {}\n", where, offsets_text(fault.from, fault.to), fault.what);
}

std::string fault_json(const log::LogFault& fault) {
    return fmt::format(R"({{"kind": "fault", "partition": {}, "path": {}, "byte": {}, "bytes": {}, "from": {}, )"
                       R"("to": {}, "what": {}}})"
                       "\n",
                       fault.partition, json_quoted(fault.path), fault.byte ? fmt::to_string(*fault.byte) : "null",
                       fault.bytes, fault.from, fault.to, json_quoted(fault.what));
}

std::string report_text(const log::Topic& topic, const log::VerifyReport& report) {
    auto text = fmt::format("topic {}: {} partition{}, {} segment{}, {} batches, {} events, {} bytes\n", topic.name,
                            report.partitions, report.partitions == 1 ? "" : "s", report.segments,
                            report.segments == 1 ? "" : "s", report.batches, report.events, report.bytes);
    if (report.given_up > 0) text += fmt::format("{} offsets were given up by earlier repairs\n", report.given_up);
    if (report.expired > 0) text += fmt::format("{} offsets before them have expired\n", report.expired);
    if (report.faults == 0) return text + "sound\n";
    return text + fmt::format("{} fault{}, {} events cannot be read\n", report.faults, report.faults == 1 ? "" : "s",
                              report.lost);
}

std::string report_json(const log::Topic& topic, const log::VerifyReport& report) {
    return fmt::format(
        R"({{"kind": "report", "topic": {}, "partitions": {}, "segments": {}, "batches": {}, )"
        R"("events": {}, "bytes": {}, "given_up": {}, "expired": {}, "lost": {}, "faults": {}, "sound": {}}})"
        "\n",
        json_quoted(topic.name), report.partitions, report.segments, report.batches, report.events, report.bytes,
        report.given_up, report.expired, report.lost, report.faults, report.faults == 0);
}

std::string place_text(const log::RepairedPlace& place, bool dry_run) {
    const log::Hole& hole = place.hole;
    auto text = fmt::format("{} byte {}: {}\n", place.path, place.byte, place.what);
    if (!hole.set_aside.empty())
        text +=
            fmt::format("  {} bytes {} set aside in {}\n", hole.bytes, dry_run ? "would be" : "are", hole.set_aside);
    if (hole.from < hole.to)
        text += fmt::format("  {} event{} lost{}\n", hole.events(), hole.events() == 1 ? " is" : "s are",
                            offsets_text(hole.from, hole.to));
    else
        text += hole.count_known
                    ? "  no event is lost by it\n"
                    : fmt::format("  how many events are lost is not known: they come after offset {}, and "
                                  "were not acknowledged as far as the log knows\n",
                                  hole.from.plus(-1));
    return text;
}

} // namespace

Status run(const Context& context, const LogVerifyArguments& arguments) {
    log::Topics topics(context.env, context.log_directory());
    TRY(topic, topics.find(arguments.topic.value_or(context.config.topic)));
    ProgressLine line(context);
    Status written;
    const auto say = [&](const std::string& text) {
        line.wipe();
        if (written.ok()) written = context.print(text);
    };
    log::VerifyOptions options;
    if (arguments.partition) options.partition = Partition{*arguments.partition};
    options.on_fault = [&](const log::LogFault& fault) { say(arguments.json ? fault_json(fault) : fault_text(fault)); };
    options.on_note = [&](const std::string& note) {
        line.wipe();
        context.notice("questlog: " + note);
    };
    options.on_progress = [&](std::int64_t done, std::int64_t total) {
        line.draw("checking the log", done, total, "bytes");
    };
    TRY(report, log::verify(context.env, topics, topic, options));
    say(arguments.json ? report_json(topic, report) : report_text(topic, report));
    CHECK_OK(written);
    CHECK_OK(context.flush());
    if (report.faults == 0) return {};
    return corrupt("the log of topic '{}' is damaged; copy {} aside, then restore it from a backup, or give up what is "
                   "damaged: questlog log repair --topic {}",
                   topic.name, context.log_directory(), topic.name);
}

Status run(const Context& context, const LogRepairArguments& arguments) {
    log::Topics topics(context.env, context.log_directory());
    TRY(topic, topics.find(arguments.topic));
    log::RepairOptions options;
    if (arguments.partition) options.partition = Partition{*arguments.partition};
    options.dry_run = arguments.dry_run;
    Status written;
    options.on_place = [&](const log::RepairedPlace& place) {
        if (written.ok()) written = context.print(place_text(place, arguments.dry_run));
    };
    TRY(report, log::repair(context.env, topics, topic, options));
    CHECK_OK(written);
    for (const std::string& text : report.other) CHECK_OK(context.print(text + "\n"));
    if (report.empty()) {
        CHECK_OK(
            context.print(fmt::format("the log of topic '{}' is sound: there is nothing to repair\n", topic.name)));
    } else if (arguments.dry_run) {
        CHECK_OK(context.print("nothing was changed\n"));
    } else {
        CHECK_OK(context.print(fmt::format("the log of topic '{}' is repaired\n", topic.name)));
    }
    return context.flush();
}

} // namespace questlog::app
