#include "log/segment_preparer.h"

#include "log/log_files.h"

#include <algorithm>
#include <vector>

namespace questlog::log {

namespace {

constexpr std::int64_t zeros_bytes = 256 * 1024;
/// Synced in pieces, so that no commit beside it waits for a whole segment's flush.
constexpr std::int64_t sync_every_bytes = 4 * 1024 * 1024;

Status make_space(io::File& file, std::int64_t bytes, Space space, const std::atomic<bool>& stop) {
    if (space == Space::reserved) {
        TRY(reserved, file.reserve(bytes));
        if (reserved) return file.sync_data();
    }
    return fill_with_zeros(file, 0, bytes, stop);
}

Result<std::shared_ptr<io::File>> make_file(io::Files& files, const std::string& path, std::int64_t bytes, Space space,
                                            const std::atomic<bool>& stop) {
    TRY(file, files.open(path, io::Open::create_new));
    if (auto made = make_space(*file, bytes, space, stop); !made.ok()) {
        file.reset();
        if (const auto removed = files.remove_file(path); !removed.ok()) return removed.error();
        return made.error();
    }
    return std::shared_ptr<io::File>(std::move(file));
}

/// Asks what is free, and then believes the disk more: a quota may allow less.
Result<std::shared_ptr<io::File>> make_spare(io::Files& files, const std::string& directory, std::int64_t wanted,
                                             std::int64_t least, Space space, const std::atomic<bool>& stop) {
    const auto path = spare_segment_file(directory);
    CHECK_OK(files.remove_file(path));
    TRY(free, files.free_bytes(directory));
    std::int64_t bytes = affordable_bytes(wanted, least, free);
    while (true) {
        auto made = make_file(files, path, bytes, space, stop);
        if (made.ok() || made.error().kind != ErrorKind::retry_later || bytes <= least || stop) return made;
        bytes = std::max(bytes / 2, least);
    }
}

} // namespace

std::int64_t affordable_bytes(std::int64_t wanted, std::int64_t least, std::int64_t free) {
    while (wanted > least && wanted > free / 2) wanted /= 2;
    return std::max(wanted, least);
}

Status fill_with_zeros(io::File& file, std::int64_t from, std::int64_t to, const std::atomic<bool>& stop) {
    static const std::vector<std::byte> zeros(zeros_bytes);
    std::int64_t unsynced = 0;
    while (from < to) {
        if (stop) return retry_later("the log is being closed");
        const auto part = std::min(zeros_bytes, to - from);
        CHECK_OK(file.write_at(from, std::span(zeros).first(static_cast<std::size_t>(part))));
        from += part;
        unsynced += part;
        if (unsynced >= sync_every_bytes && from < to) {
            CHECK_OK(file.sync_data());
            unsynced = 0;
        }
    }
    return file.sync_data();
}

SegmentPreparer::SegmentPreparer(io::Files& files, bool background) : files_(files) {
    if (background) thread_ = std::thread([this] { run(); });
}

SegmentPreparer::~SegmentPreparer() {
    stop();
}

void SegmentPreparer::begin(const std::string& directory, std::int64_t wanted, Space space) {
    if (!thread_.joinable()) return;
    const std::lock_guard lock(mutex_);
    if (stopping_ || !jobs_.try_emplace(directory, Job{wanted, space, Job::State::waiting, nullptr}).second) return;
    waiting_.push_back(directory);
    changed_.notify_all();
}

Result<std::shared_ptr<io::File>> SegmentPreparer::take(const std::string& directory, std::int64_t wanted,
                                                        std::int64_t least, Space space) {
    std::shared_ptr<io::File> ready;
    {
        std::unique_lock lock(mutex_);
        if (const auto found = jobs_.find(directory); found != jobs_.end()) {
            changed_.wait(lock, [&] { return found->second.state != Job::State::working; });
            ready = std::move(found->second.file);
            jobs_.erase(found);
            std::erase(waiting_, directory);
        }
    }
    if (ready) {
        TRY(bytes, ready->size());
        if (bytes >= least) return ready;
        ready.reset(); // its space is free before more is asked for
    }
    return make_spare(files_, directory, wanted, least, space, stopping_);
}

void SegmentPreparer::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        changed_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
    const std::lock_guard lock(mutex_);
    for (auto& [directory, job] : jobs_) job.file.reset(); // an open file keeps its space
}

void SegmentPreparer::run() {
    std::unique_lock lock(mutex_);
    while (true) {
        changed_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
        if (stopping_) return;
        make_next(lock);
    }
}

void SegmentPreparer::make_next(std::unique_lock<std::mutex>& lock) {
    const std::string directory = waiting_.front();
    waiting_.pop_front();
    Job& job = jobs_.at(directory); // its address holds: take() waits for a job that is being worked on
    job.state = Job::State::working;
    lock.unlock();
    auto made =
        make_spare(files_, directory, job.wanted, std::min(job.wanted, prepared_bytes_min), job.space, stopping_);
    lock.lock();
    if (made.ok()) job.file = std::move(*made); // a failure is met again, and told, by take()
    job.state = Job::State::done;
    changed_.notify_all();
}

} // namespace questlog::log
