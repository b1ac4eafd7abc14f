#include "io/whole_file.h"
#include "log/event_log.h"
#include "log/log_files.h"
#include "log/topic_metadata.h"

#include <chrono>

namespace questlog::log {

namespace {

constexpr std::chrono::milliseconds create_wait{10'000};

/// An empty partition. What an interrupted creation left behind is replaced; a directory with segments is not.
Status make_partition(io::Files& files, const std::string& directory) {
    TRY(stat, files.stat(directory));
    if (stat.kind != io::Kind::missing) {
        TRY(entries, files.list(directory));
        for (const auto& entry : entries)
            if (entry.name.ends_with(segment_file_suffix))
                return reject("{} holds {} of a topic whose metadata is gone; move the directory away, or restore the "
                              "metadata",
                              directory, entry.name);
        CHECK_OK(files.remove_tree(directory));
    }
    CHECK_OK(files.make_directories(directory));
    TRY(word, files.map_word(durable_end_file(directory), io::Open::create_new));
    word->store(encode(DurableEnd{Offset{0}, true}));
    CHECK_OK(word->sync());
    return files.sync_directory(directory);
}

} // namespace

Topics::Topics(io::Env env, std::string log_directory) : env_(env), directory_(std::move(log_directory)) {}

Result<Topic> Topics::create(const std::string& name, const TopicOptions& options) {
    TRY(topic, plan_topic(name, options, env_.entropy));
    CHECK_OK(env_.files.make_directories(directory_));
    TRY(lock, env_.files.lock(directory_ + "/.lock", 0, io::Files::Share::exclusive, create_wait));
    TRY(there, exists(name));
    if (there) return reject("topic '{}' already exists", name);
    for (std::int32_t i = 0; i < topic.partitions; ++i)
        CHECK_OK(make_partition(env_.files, partition_directory(directory_, name, Partition{i})));
    CHECK_OK(env_.files.sync_directory(directory_));
    CHECK_OK(io::write_file_durably(env_.files, directory_, topic_file(directory_, name), encode_topic(topic)));
    return topic;
}

Result<std::vector<std::string>> Topics::names() {
    std::vector<std::string> names;
    TRY(stat, env_.files.stat(directory_));
    if (stat.kind == io::Kind::missing) return names;
    TRY(entries, env_.files.list(directory_));
    for (const auto& entry : entries)
        if (entry.kind == io::Kind::file && entry.name.ends_with(topic_file_suffix))
            names.push_back(entry.name.substr(0, entry.name.size() - topic_file_suffix.size()));
    return names;
}

Result<std::vector<Topic>> Topics::list() {
    TRY(found, names());
    std::vector<Topic> topics;
    for (const auto& name : found) {
        TRY(topic, find(name));
        topics.push_back(std::move(topic));
    }
    return topics;
}

Result<Topic> Topics::find(const std::string& name) {
    CHECK_OK(check_topic_name(name));
    TRY(there, exists(name));
    if (!there)
        return reject("topic '{}' does not exist in {}; make it with: questlog topic create --topic {}", name,
                      directory_, name);
    const auto path = topic_file(directory_, name);
    TRY(text, io::read_text_file(env_.files, path));
    TRY(topic, decode_topic(text, path));
    if (topic.name != name)
        return corrupt("{} is the metadata of topic '{}'; give the file its old name back", path, topic.name);
    return topic;
}

Result<bool> Topics::exists(const std::string& name) {
    CHECK_OK(check_topic_name(name));
    TRY(stat, env_.files.stat(topic_file(directory_, name)));
    return stat.kind == io::Kind::file;
}

Result<std::unique_ptr<LogReader>> Topics::open(const Topic& topic,
                                                const std::function<void(const std::string&)>& on_recovery) {
    return open_reader(env_, *this, topic, on_recovery);
}

} // namespace questlog::log
