#include "base/repeated_action.h"
#include "log/event_log.h"
#include "log/log_files.h"
#include "log/recovery.h"
#include "log/segment_preparer.h"
#include "log/segment_writer.h"
#include "log/topic_lock.h"

namespace questlog::log {

Result<WriterLock> lock_for_writing(io::Files& files, const std::string& log_directory, const Topic& topic) {
    const auto path = lock_file(log_directory, topic.name);
    const auto context = fmt::format("the log of topic '{}' cannot be written", topic.name);
    auto recovery = files.lock(path, recovery_slot, io::Files::Share::exclusive, recovery_wait);
    if (!recovery.ok()) return recovery.error().within(context);
    auto writer = files.lock(path, writer_slot, io::Files::Share::exclusive, std::chrono::milliseconds{0});
    if (!writer.ok()) return writer.error().within(context);
    return WriterLock{std::move(*writer), std::move(*recovery)};
}

namespace {

class SegmentLogWriter final : public LogWriter {
public:
    SegmentLogWriter(io::Files& files, Topic topic, std::unique_ptr<io::Lock> lock, const WriterOptions& options)
        : files_(files), topic_(std::move(topic)), lock_(std::move(lock)),
          segment_options_{topic_.segment_bytes, topic_.settings.compression.value_or(options.compression),
                           options.sync, topic_.settings.segment_ms ? topic_.settings.segment_ms : options.segment_ms},
          preparer_(files, options.prepare_segments_in_background) {}

    void add_partition(const std::string& directory, std::unique_ptr<io::SharedWord> durable_end,
                       const RecoveredPartition& recovered) {
        directories_.push_back(directory);
        partitions_.push_back(std::make_unique<SegmentWriter>(files_, preparer_, directory, segment_options_,
                                                              std::move(durable_end), recovered));
    }

    Status open(const WriterOptions& options) {
        for (auto& partition : partitions_) CHECK_OK(partition->open());
        if (options.sync == Sync::interval && options.prepare_segments_in_background)
            interval_sync_.emplace(options.sync_interval, RepeatedAction::First::after_the_interval, [this] {
                (void)flush().ok(); // the next commit tells
                return true;
            });
        return {};
    }

    Status flush() override {
        for (auto& partition : partitions_) CHECK_OK(partition->flush());
        return {};
    }

    [[nodiscard]] const Topic& topic() const override { return topic_; }

    PartitionWriter& partition(Partition partition) override {
        return *partitions_.at(static_cast<std::size_t>(partition.value));
    }

    Status close() override {
        if (interval_sync_) interval_sync_->stop();
        // First the spares give their space back: it is what a full disk is left for the partitions to close in.
        preparer_.stop();
        for (const auto& directory : directories_) CHECK_OK(files_.remove_file(spare_segment_file(directory)));
        for (auto& partition : partitions_) CHECK_OK(partition->close());
        lock_.reset();
        return {};
    }

private:
    io::Files& files_;
    Topic topic_;
    std::unique_ptr<io::Lock> lock_; ///< Outlives the preparer and the partitions: they still touch files.
    SegmentOptions segment_options_;
    SegmentPreparer preparer_;
    std::vector<std::string> directories_;
    std::vector<std::unique_ptr<SegmentWriter>> partitions_;
    std::optional<RepeatedAction> interval_sync_; ///< Last: its thread uses the partitions.
};

} // namespace

Result<std::unique_ptr<LogWriter>> open_writer(io::Env env, const Topics& topics, const Topic& topic,
                                               const WriterOptions& options) {
    TRY(lock, lock_for_writing(env.files, topics.directory(), topic));
    // Whoever made the topic may have died before its name was durable, and what is acknowledged here depends on it.
    CHECK_OK(env.files.sync_directory(topics.directory()));
    auto writer = std::make_unique<SegmentLogWriter>(env.files, topic, std::move(lock.writer), options);
    for (std::int32_t i = 0; i < topic.partitions; ++i) {
        const auto directory = partition_directory(topics.directory(), topic.name, Partition{i});
        TRY(durable_end, map_durable_end(env.files, directory, io::Open::write));
        TRY(recovered, recover_partition(env.files, directory, *durable_end, options.on_recovery));
        writer->add_partition(directory, std::move(durable_end), recovered);
    }
    CHECK_OK(writer->open(options)); // once all are recovered: where one is refused, the others stay closed and trimmed
    return std::unique_ptr<LogWriter>(std::move(writer)); // only now may readers go on: `lock.recovery` ends here
}

} // namespace questlog::log
