#pragma once

#include "duck/duck.h"
#include "event/field_rules.h"
#include "event/message_hash.h"
#include "io/env.h"
#include "lake/continuous_table.h"
#include "lake/snapshot.h"
#include "log/event_log.h"
#include "log/retention.h"
#include "scan/table.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace questlog::query {

/// What SQL is asked of. All of it outlives the sessions and reports that are made of it.
struct World {
    io::Env env;
    log::TopicSource& topics;
    lake::SnapshotStore& store;
    lake::ContinuousStore& continuous; ///< Of `topic`.
    std::shared_ptr<duck::Database> database;
    std::vector<scan::TableDeclaration> tables;     ///< Names are unique but for case, and none is `events`.
    std::string topic;                              ///< The configured one.
    std::function<void(const std::string&)> notice; ///< For a person, on stderr. May be empty.
    std::map<std::string, std::string> jobs;        ///< Table name -> the job that writes it.
    std::function<void(std::int64_t done, std::int64_t total)> progress; ///< Events looked at. May be empty.
    log::RetentionLimits retention{};     ///< The server's, of topics that do not say themselves.
    std::set<std::string> spare_tables{}; ///< Tables that keep nothing of the log until they were landed once.
    event::RepeatWindow repeats{};        ///< Within which a message id is known again.
    std::shared_ptr<const event::FieldRules> rules{}; ///< What events of declared types are to be. Null: anything.
    const log::Topics* embedded = nullptr;            ///< The same as `topics`, where these are the data folder's own.
    std::string cluster{}; ///< Where the topics are, where it is not the data folder: "Kafka HOST:PORT".
    bool lands = false;    ///< A server of this configuration lands `topic` in continuous tables. Else these are spare.

    void tell(const std::string& text) const {
        if (notice) notice(text);
    }
    /// "`questlog batch separate_events`", for advice.
    [[nodiscard]] std::string batch_command(const std::string& table) const {
        const auto job = jobs.find(table);
        return job == jobs.end() ? "the job that writes it, `questlog batch JOB`"
                                 : "`questlog batch " + job->second + "`";
    }
};

} // namespace questlog::query
