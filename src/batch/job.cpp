#include "batch/job.h"

namespace questlog::batch {
namespace {

scan::SourcePosition built_in() {
    return {"(built in)", 1, 1};
}

/// The built-in texts are constants: one that does not parse is a programming fault, and value() says so.
scan::Expression expression(const std::string& text, scan::Role role = scan::Role::value) {
    return scan::Expression::parse(text, built_in(), role).value();
}

scan::TableDeclaration table(const std::string& topic, const std::string& name, const std::string& path,
                             const std::string& event_type) {
    scan::TableDeclaration declaration;
    declaration.name = name;
    declaration.path = path;
    declaration.topic = topic;
    declaration.where = expression("event_type = '" + event_type + "'", scan::Role::filter);
    return declaration;
}

JobOutput munged(scan::TableDeclaration declaration) {
    declaration.set = {{"Host", expression("'moe'")}, {"Cache-Control", expression("'no-cache'")}};
    return {std::move(declaration), true, false, built_in()};
}

JobOutput with_schema(scan::TableDeclaration declaration) {
    return {std::move(declaration), true, true, built_in()};
}

} // namespace

std::vector<Job> builtin_jobs(const std::string& topic) {
    std::vector<Job> jobs{
        {"separate_events",
         topic,
         {munged(table(topic, "sword_purchases", "tmp/sword_purchases", "purchase_sword")),
          munged(table(topic, "default_hits", "tmp/default_hits", "default"))}},
        {"just_filtering", topic, {with_schema(table(topic, "just_filtering", "", "purchase_sword"))}},
        {"filtered_writes", topic, {with_schema(table(topic, "purchases", "tmp/purchases", "purchase_sword"))}},
    };
    for (Job& job : jobs) job.builtin = true;
    return jobs;
}

} // namespace questlog::batch
